"""Control DB: records of trains, metrics, sets, estimations and trials. Not needed to predict."""
