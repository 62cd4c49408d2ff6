"""The chapter on DeepFM."""

from drawings.canvas import Figure, id_row, layers, output, strips


def draw_deepfm():
    """DeepFM: a factorization machine and an MLP on one shared embedding."""
    f = Figure('deepfm', 672)
    y = id_row(f, 16)
    f.edge((72, y), (72, 337))
    f.edge((322, y), (322, 125))

    f.rect(140, 126, 364, 96, 'a-thick')
    f.text(156, 152, 'one embedding, shared', 'name', 'start')
    f.shape(490, 152, '(B, F, K)', 'end')
    strips(f, 176, 167, 80)

    f.rect(16, 252, 248, 256, 'group', r=12)
    f.lines(132, 277, ['FM', 'component'], 'term', 'middle')
    f.edge((190, 222), (190, 337))
    f.rect(26, 338, 92, 68, 'b')
    f.text(72, 364, 'linear')
    f.math(72, 391, 'Σ_i w_i + b')
    f.rect(126, 338, 128, 68, 'd')
    f.text(190, 364, 'pairwise')
    f.math(190, 391, 'Σ_{i<j} ⟨*v*_i, *v*_j⟩')
    f.edge((72, 406), (72, 464), (176, 464))
    f.edge((190, 406), (190, 450))
    f.sign(190, 464, '+')

    f.rect(276, 252, 228, 256, 'group', r=12)
    f.lines(290, 277, ['deep', 'component'], 'term')
    f.edge((390, 222), (390, 307))
    f.rect(288, 308, 204, 32, 'c')
    f.text(344, 329, 'concatenate')
    f.shape(482, 329, '(B, F·K)', 'end')
    layers(f, 390, 360, [180, 156, 132])

    f.edge((190, 477), (190, 556), (246, 556))
    f.edge((390, 496), (390, 556), (274, 556))
    f.shape(180, 540, '(B, 1)', 'end')
    f.shape(400, 540, '(B, 1)', 'start')
    f.sign(260, 556, '+')
    f.edge((260, 569), (260, 593))
    output(f, 260, 594)
    return f
