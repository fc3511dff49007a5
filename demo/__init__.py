"""The demonstration: real data for the DataProviders in `dataproviders/flights.py`."""
