"""A run that another process or machine trains: followed, asked to save or to stop."""
