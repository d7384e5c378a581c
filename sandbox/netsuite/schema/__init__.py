"""The vendor's types: names, order of elements, namespaces. Requests are checked and answers written from these."""
