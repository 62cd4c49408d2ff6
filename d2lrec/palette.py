"""The book's colours, for plots, drawings and pages alike (on white; the pages' style sheet has
their counterparts on dark)."""

INK = '#1f2933'
QUIET = '#52606d'  # text of less weight
MUTED = '#7b8794'  # arrows
LINE = '#9aa5b1'
GRID = '#e4e7eb'
PAPER = '#ffffff'

# Each hue, and a light one for areas.
A, A_SOFT = '#2f6fde', '#e3edfd'
B, B_SOFT = '#d9822b', '#fbeedd'
C, C_SOFT = '#2e9e6b', '#def3e8'
D, D_SOFT = '#8a5cd1', '#eee6fa'
