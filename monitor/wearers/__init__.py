"""What is known of each wearer: rings and slots as a struct of arrays, one row a wearer."""
