"""The first page: the map of the models, and the book's mark."""

from drawings.canvas import Figure


def draw_map():
    """The models of this book and how each grew out of the one before."""
    f = Figure('map', 706)

    def node(cx, y, name, year, kind='box', w=116):
        f.rect(cx - w / 2, y, w, 48, kind)
        f.text(cx, y + 21, name, 'name')
        f.text(cx, y + 39, year, 'note')

    node(94, 24, 'LR', 'logistic regression', w=152)
    node(424, 24, 'MF', '2009, Koren et al.', 'a', w=152)
    node(260, 152, 'FM', '2010', 'a')
    node(424, 152, 'AutoRec', '2015, item or user', 'a', w=152)
    node(94, 262, 'Wide & Deep', '2016', 'a', w=152)
    node(260, 412, 'DeepFM', '2017', 'a')
    node(94, 442, 'DCN', '2017', 'a')
    node(94, 576, 'xDeepFM', '2018', 'a')
    node(290, 628, 'DLRM', '2019', 'a')
    node(440, 412, 'DIN', '2018', 'a')
    node(440, 572, 'DIEN', '2019', 'a')

    for n, (name, idea) in enumerate(
        [
            ('FFM, 2016', 'vector per field'),
            ('NFM, 2017', 'MLP on pooled pairs'),
            ('AFM, 2017', 'attention on pairs'),
        ]
    ):
        y = 232 + n * 52
        f.rect(348, y, 152, 42, 'leaf')
        f.text(424, y + 17, name, 'term')
        f.text(424, y + 34, idea, 'note')
        f.edge((333, y + 11), (333, y + 21), (348, y + 21))

    f.edge((318, 176), (333, 176), (333, 347), tip=False)

    f.edge((170, 48), (240, 48), (240, 152))
    f.lines(230, 98, ['factorize the', 'pair weights'], anchor='end')
    f.edge((348, 48), (280, 48), (280, 152))
    f.lines(290, 98, ['any fields,', 'not only two'])
    f.edge((424, 72), (424, 152))
    f.lines(434, 98, ['nonlinear', 'encoder', 'of a row'])
    f.edge((94, 72), (94, 262))
    f.lines(104, 164, ['MLP on', 'embeddings'])
    f.edge((170, 286), (224, 286), (224, 412))
    f.lines(215, 326, ['share the', 'embedding'], anchor='end')
    f.edge((260, 200), (260, 412))
    f.text(269, 330, '+ MLP', 'note', 'start')
    f.edge((94, 310), (94, 442))
    f.lines(104, 386, ['explicit', 'crosses'])
    f.edge((94, 490), (94, 576))
    f.lines(104, 524, ['vector-wise', 'crosses (CIN)'])
    f.edge((224, 460), (224, 600), (152, 600))
    f.edge((318, 436), (382, 436))
    f.edge((440, 460), (440, 572))
    f.lines(450, 486, ['read', 'in order'])
    f.text(350, 426, 'history', 'note')
    f.edge((290, 460), (290, 628))
    f.lines(300, 530, ['dense + multi-hot,', 'dot products only'])

    f.rect(388, 658, 22, 16, 'a', r=4)
    f.text(418, 671, 'a chapter', 'note', 'start')
    return f


def draw_logo():
    """d2lrec."""
    f = Figure('logo', 64, width=64, shown=64, paper=False)
    for row, col in [(0, 0), (0, 2), (0, 3), (1, 0), (1, 2), (1, 3), (2, 1), (3, 2), (3, 3)]:
        f.circle(9 + col * 15.3, 9 + row * 15.3, 3.4, 'dot')
    f.path('M9 55L24.3 9', 'a-vector')
    f.path('M9 55L55 39.6', 'b-vector')
    f.circle(24.3, 9, 6.5, 'a-full')
    f.circle(55, 39.6, 6.5, 'b-full')
    return f
