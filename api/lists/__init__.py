"""Make and change list entries: vendors, items, departments, locations and classes."""
