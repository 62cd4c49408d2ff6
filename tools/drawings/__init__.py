"""The book's drawings: one module a chapter, each `draw_*` of it one figure of `img/`."""
