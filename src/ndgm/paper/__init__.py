"""From verdicts and tables to what is read: figures, notebooks, PDF and web page."""
