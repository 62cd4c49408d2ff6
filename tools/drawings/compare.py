"""The chapter that sets the models side by side."""

from drawings.canvas import Figure

# A part's colour (of what it works on) and its label, in words or in mathematics.
PARTS = [
    ('b', 'linear'),
    ('c', '⟨*v*,*v*⟩'),
    ('c', '⟨*v*_{fg},*v*_{gf}⟩'),
    ('c', '*v*⊙*v*'),
    ('a', 'cross'),
    ('c', 'CIN'),
    ('a', 'MLP'),
]
# The parts that a model adds up ('+'), or feeds to its MLP ('>').
MODELS = [
    ('LR', {0: '+'}),
    ('FM', {0: '+', 1: '+'}),
    ('FFM', {0: '+', 2: '+'}),
    ('AFM', {0: '+', 3: '+'}),
    ('NFM', {0: '+', 3: '>', 6: '+'}),
    ('MLP', {6: '+'}),
    ('Wide & Deep', {0: '+', 6: '+'}),
    ('DeepFM', {0: '+', 1: '+', 6: '+'}),
    ('DCN', {4: '+', 6: '+'}),
    ('xDeepFM', {0: '+', 5: '+', 6: '+'}),
    ('DLRM', {1: '>', 6: '+'}),
]


def draw_family():
    """The click models as combinations of seven parts."""
    f = Figure('family', 500)
    xs, top, row = [138, 196, 262, 326, 380, 431, 482], 112, 28

    for first, last, name in [
        (0, 0, 'order 1'),
        (1, 3, 'order 2'),
        (4, 5, 'depth + 1'),
        (6, 6, 'any'),
    ]:
        f.text((xs[first] + xs[last]) / 2, 32, name, 'term')
        f.path(f'M{xs[first] - 23} 42H{xs[last] + 23}', 'edge')
    for n, (x, (kind, name)) in enumerate(zip(xs, PARTS)):
        w = 74 if n == 2 else 50 if n < 4 else 46
        f.rect(x - w / 2, 54, w, 36, kind)
        if '*' in name:
            f.math(x, 77, name, kind='dim')
        else:
            f.text(x, 77, name, 'term')
    for n, (model, parts) in enumerate(MODELS):
        y = top + n * row + row / 2
        f.path(f'M8 {y - row / 2}H504', 'cell')
        f.text(12, y + 5, model, 'text', 'start')
        for part, how in parts.items():
            kind = PARTS[part][0]
            if how == '>':
                f.circle(xs[part], y, 7, kind)
                f.edge((xs[part] + 8, y), (xs[6] - 8, y))
            else:
                f.circle(xs[part], y, 7, kind + '-full')
    y = top + len(MODELS) * row
    f.path(f'M8 {y}H504', 'cell')
    for x, kind, name in [
        (24, 'c', 'works on whole vectors'),
        (230, 'a', 'works on single coordinates (bits)'),
    ]:
        f.rect(x, y + 18, 16, 16, kind, r=4)
        f.text(x + 26, y + 31, name, 'note', 'start')
    f.circle(32, y + 54, 7, 'b-full')
    f.text(50, y + 59, 'added to the logit', 'note', 'start')
    f.circle(238, y + 54, 7, 'c')
    f.edge((246, y + 54), (276, y + 54))
    f.text(286, y + 59, 'fed to the MLP', 'note', 'start')
    return f
