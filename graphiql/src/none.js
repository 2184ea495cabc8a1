// In place of an optional package that nothing here needs.
