"""The only place that imports botbuilder or speaks to Microsoft. Imported late: it is slow."""
