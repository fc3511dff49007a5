"""DataProvider, the Estimator interface, hooks, and discovery of DataProviders."""
