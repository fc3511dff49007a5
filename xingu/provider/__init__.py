"""The DataProvider, the Estimator interface, hooks, and how DataProviders are found."""
