"""Five films to rate, a map of films, the order dial: what they answer in a real browser."""

import re

import d2lrec as d2l
from d2lrec import instruments

import mxnet as mx
import numpy as np
import pandas as pd
import pytest

# names that are text, whatever they look like
HOSTILE = ['<img src=x onerror=boom()>', '</script><b>bold</b>', 'A & "B" $x$', "L'été \u2028 영화"]
TITLES = [*HOSTILE, *(f'Film {n}' for n in range(10))]
SETTINGS = ['1', '2', '3', '1 + 2', '1 + 3', '2 + 3', '1 + 2 + 3']


def trained(num_items=14, num_hidden=7, **options):
    """A user-based AutoRec and biases with numbers of the size that training gives."""
    rng = np.random.default_rng(0)
    net = d2l.AutoRec(num_hidden, num_items, dropout=0.0, **options)
    net.initialize()
    for param in net.collect_params().values():
        param.set_data(mx.np.array(rng.normal(size=param.shape), dtype='float32'))
    users, items = np.divmod(np.arange(5 * num_items), num_items)
    stars = rng.integers(1, 6, len(users)).astype(float)
    return net, d2l.BiasBaseline(damping=2.5).fit(users, items, stars, 5, num_items)


@pytest.fixture(scope='module')
def taught():
    return trained()


@pytest.fixture(scope='module')
def five(taught):
    return instruments.five_films(*taught, TITLES, {0: 5, 4: 2, 5: 1}, listed=range(1, 13))


def agrees(answer, net, biases, listed=range(1, 13)):
    """An answer of five films is the library's, of the ratings that it names."""
    items, stars = zip(*answer['ratings'])
    predicted, taste = instruments.stars_for(net, biases, items, stars)
    by = taste if answer['measure'] == 'taste' else predicted
    left = [item for item in listed if item not in items]
    best = sorted(left, key=lambda item: -by[item])[:10]
    assert not set(answer['list']) & set(items)
    np.testing.assert_allclose(answer['predicted'], predicted[answer['list']], atol=1e-3)
    np.testing.assert_allclose(answer['taste'], taste[answer['list']], atol=1e-3)
    np.testing.assert_allclose(by[answer['list']], by[best], atol=2e-3)  # the order, but for ties
    drove = instruments.rating_effects(
        net, biases, items, stars, answer['chosen'], answer['measure'] == 'taste'
    )
    np.testing.assert_allclose(answer['effects'], drove, atol=1e-3)


# --- five films


def test_stars_are_those_of_the_formula_as_loops(taught):
    net, biases = taught
    V, mu, W, b = (p.data().asnumpy() for p in net.collect_params().values())

    def rebuilt(line):
        z = [
            1 / (1 + np.exp(-(mu[k] + sum(V[k, d] * line[d] for d in range(len(line))))))
            for k in range(len(mu))
        ]
        return [b[d] + sum(W[d, k] * z[k] for k in range(len(z))) for d in range(len(line))]

    given = {3: 5, 7: 1}
    over = {i: stars - biases.mean - biases.item_bias[i] for i, stars in given.items()}
    bias = sum(over.values()) / (2 + biases.damping)
    line = [over[i] - bias if i in over else 0.0 for i in range(len(TITLES))]
    out, nobody = rebuilt(line), rebuilt([0.0] * len(TITLES))
    predicted, taste = instruments.stars_for(net, biases, list(given), list(given.values()))
    for i in range(len(TITLES)):
        assert predicted[i] == pytest.approx(
            biases.mean + bias + biases.item_bias[i] + out[i], abs=1e-4
        )
        assert taste[i] == pytest.approx(out[i] - nobody[i], abs=1e-4)
    effect = instruments.rating_effects(net, biases, [3, 7], [5, 1], item=2)
    without = instruments.stars_for(net, biases, [7], [1])[0][2]
    assert effect[0] == pytest.approx(predicted[2] - without, abs=1e-5)


def test_five_films_answer_as_the_library_does(stage, taught, five):
    page = stage.show(five)
    first = stage.answer(page)
    assert first['ratings'] == [[0, 5], [4, 2], [5, 1]]
    assert len(first['list']) == 10
    agrees(first, *taught)
    page.locator('.d2i-rated li').nth(0).locator('input').nth(0).click()  # five stars become one
    second = stage.answer(page)
    assert second['ratings'][0] == [0, 1] and second['predicted'] != first['predicted']
    agrees(second, *taught)
    page.get_by_label('Ten films in the order of').select_option('1')
    third = stage.answer(page)
    assert third['measure'] == 'taste'
    agrees(third, *taught)
    page.locator('.d2i-recommended button').nth(3).click()
    fourth = stage.answer(page)
    assert fourth['chosen'] == third['list'][3]
    agrees(fourth, *taught)
    assert page.locator('.d2i-why .d2i-bar').count() == 3
    page.get_by_role('button', name='Start again').click()
    assert stage.answer(page)['ratings'] == first['ratings']


def test_five_films_by_keyboard_alone(stage, taught, five):
    page = stage.show(five)
    page.get_by_role('combobox', name='Find a film to rate').focus()
    page.keyboard.type('film 7')
    page.keyboard.press('ArrowDown')
    page.keyboard.press('Enter')
    assert stage.answer(page)['ratings'][-1] == [11, 4]
    page.keyboard.press('ArrowRight')  # the focus is on the film's stars
    assert stage.answer(page)['ratings'][-1] == [11, 5]
    agrees(stage.answer(page), *taught)
    page.keyboard.press('Tab')
    page.keyboard.press('Enter')  # its rating goes again, and the search has the focus
    assert len(stage.answer(page)['ratings']) == 3
    assert page.evaluate('document.activeElement.getAttribute("role")') == 'combobox'
    for _ in range(3):
        page.locator('.d2i-remove').first.click()
    empty = stage.answer(page)
    predicted = instruments.stars_for(*taught, [], [])[0]
    np.testing.assert_allclose(empty['predicted'], predicted[empty['list']], atol=1e-3)
    assert 'no rating' in page.locator('.d2i-why').inner_text()


@pytest.mark.parametrize('language, genre', [('ko', '코미디'), ('en', 'comedy')])
def test_a_film_is_found_by_its_year_and_by_its_genre(stage, taught, language, genre):
    years = [*([np.nan] * 12), 1994, 2001]
    groups = {'Comedy': np.arange(14) == 12, 'Odd <b>': np.arange(14) >= 12}
    made = instruments.five_films(*taught, TITLES, {0: 5}, years=years, groups=groups)
    page = stage.show(made, language)
    field = page.get_by_role('combobox').first
    for wanted, titles in (('1994', 1), (genre, 1), ('odd <', 2)):
        field.fill(wanted)
        shown = page.locator('.d2i-list li').all_inner_texts()
        assert len(shown) == titles and shown[0].startswith('Film 8')
        assert '1994' in shown[0] and genre in shown[0]
    field.press('Enter')
    assert [stars for item, stars in stage.answer(page)['ratings'] if item == 12] == [4]
    assert '1994' in page.locator('.d2i-rated').inner_text()


SEARCHED = {
    'Star Wars (1977)': (None, 'Sci-Fi'),
    'Return of the Jedi': (1983, 'Sci-Fi'),
    'Godfather: Part II, The (1974)': (None, 'Drama'),
    'Godfather, The (1972)': (None, 'Drama'),
    'Wallace & Gromit': (1996, 'Animation'),
    'Fabuleux destin d’Amélie Poulain, Le': (2001, 'Comedy'),
    'Seven (Se7en) (1995)': (None, 'Crime'),
    "Schindler's List": (1993, 'Drama'),
    'L.A. Confidential': (1997, 'Crime'),
    '값진 화양연화': (2000, 'Romance'),
}
# queries and the films that they find, the best first
FOUND = {
    'star wars 1977': [0],
    'wars star': [0],
    'starwars': [0],
    'the godfather': [3, 2],
    'godfather the': [3, 2],
    'Godfather, The': [3, 2],
    'part ii the godfather': [2],
    'wallace gromit': [4],
    'wallace and gromit': [4],
    'amelie': [5],
    'AMÉLIE poulain': [5],
    'le fabuleux destin': [5],
    'se7en': [6],
    'schindlers list': [7],
    'la confidential': [8],
    'sci fi 1983': [1],
    '공상': [],
    'drama': [2, 3, 7],
    '드라마': [2, 3, 7],
    'ㄷ': [2, 3, 7, 5],  # 코미디 has it, too
    '드람': [2, 3, 7],  # on the way to 드라마
    '코밍': [],
    '갑ㅅ': [9],
    '값지': [9],
    '호': [9],  # on the way to 화
    '양연': [9],
    'ㅑ': [],  # no syllable begins with it
    '?!': list(range(8)),
}


@pytest.mark.parametrize('language', ['ko', 'en'])
def test_films_are_found_by_words(stage, language):
    kinds = sorted({kind for _, kind in SEARCHED.values()})
    made = instruments.film_map(
        np.random.default_rng(0).normal(size=(len(SEARCHED), 4)),
        list(SEARCHED),
        groups={one: np.array([kind == one for _, kind in SEARCHED.values()]) for one in kinds},
        years=[year or np.nan for year, _ in SEARCHED.values()],
    )
    page, titles = stage.show(made, language), list(SEARCHED)
    field = page.get_by_role('combobox').first
    some = FOUND if language == 'ko' else {one: FOUND[one] for one in ('star wars 1977', '드라마')}
    for query, wanted in some.items():
        field.fill(query)
        shown = page.locator('.d2i-list li:not([aria-disabled])').all_inner_texts()
        found = [max(titles, key=lambda t: len(t) * text.startswith(t)) for text in shown]
        assert found == [titles[n] for n in wanted], query
    field.fill('jedi')
    assert '1983' in page.locator('.d2i-list li').inner_text()
    field.press('Enter')
    assert '1983' in page.locator('.d2i-map-told').inner_text()


def test_keys_of_an_input_method_are_no_choice(stage, film_map):
    page = stage.show(film_map)
    before = stage.answer(page)
    field = page.get_by_role('combobox').first
    field.fill('film 3')
    for key in ('Enter', 'ArrowDown', 'Escape'):
        field.dispatch_event('keydown', {'key': key, 'isComposing': True})
    assert stage.answer(page) == before and page.locator('.d2i-list').is_visible()
    assert page.locator('.d2i-list [aria-selected=true]').count() == 0
    field.press('Enter')
    is_of(stage.answer(page), 7)


def test_a_change_says_who_moved(stage, five):
    page = stage.show(five)
    before = stage.answer(page)['list']
    page.locator('.d2i-rated li').nth(1).locator('input').nth(4).click()
    after = stage.answer(page)['list']
    for rank, text in enumerate(page.locator('.d2i-moved').all_inner_texts()):
        was = before.index(after[rank])
        shown = '' if was == rank else f'{"▲" if was > rank else "▼"} {abs(was - rank)}'
        assert text == shown
    region = page.locator('[aria-live]')
    rated = re.escape(f'{TITLES[4]}: 5 of 5 stars. First is ')
    region.get_by_text(re.compile(f'^{rated}')).wait_for(state='attached')
    page.locator('.d2i-recommended button').nth(2).press('Enter')
    why = re.escape(f'{TITLES[after[2]]}: what your ratings did; ')
    region.get_by_text(re.compile(rf'^{why}.* [+−]?\d\.\d\d; ')).wait_for(state='attached')


@pytest.mark.parametrize(
    'change, says',
    [
        ({'mine': {}}, 'cannot begin'),
        ({'mine': {0: 6}}, 'cannot begin'),
        ({'mine': {99: 5}}, 'cannot begin'),
        ({'titles': ['one']}, 'a title for each'),
        ({'years': [1994.0]}, 'years have shape'),
        ({'groups': {'Odd': np.ones((14, 1))}}, 'Odd have shape'),
        ({'net': trained(encoder_activation='tanh')[0]}, 'give one of sigmoids'),
        ({'net': trained(encoder_activation=None)[0]}, 'one hidden layer'),
        ({'net': trained(num_hidden=[3, 3])[0]}, 'one hidden layer'),
        ({'net': trained(num_items=5)[0]}, 'user-based'),
    ],
)
def test_five_films_refuse(taught, change, says):
    given = {'net': taught[0], 'biases': taught[1], 'titles': TITLES, 'mine': {0: 5}, **change}
    with pytest.raises(ValueError, match=says):
        instruments.five_films(**given)


# --- a map of films

VECTORS = np.random.default_rng(1).normal(size=(len(TITLES), 6))


@pytest.fixture(scope='module')
def film_map():
    groups = {'Comedy': np.arange(len(TITLES)) % 2 == 0, 'Odd': np.arange(len(TITLES)) % 3 == 0}
    return instruments.film_map(VECTORS, TITLES, start=1, groups=groups, num=4)


def neighbours_by_loops(i):
    cosine = {
        j: VECTORS[i] @ VECTORS[j] / np.linalg.norm(VECTORS[i]) / np.linalg.norm(VECTORS[j])
        for j in range(len(VECTORS))
        if j != i
    }
    order = sorted(cosine, key=lambda j: -cosine[j])[:4]
    return order, [cosine[j] for j in order]


def is_of(answer, i):
    order, cosine = neighbours_by_loops(i)
    assert (answer['chosen'], answer['neighbours']) == (i, order)
    np.testing.assert_allclose(answer['cosines'], cosine, atol=1e-3)


def test_planes_and_what_they_keep():
    # two dimensions fit into a plane: principal components keep all that a turn leaves alone
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 30)
    flat = np.c_[np.cos(angles), np.sin(angles), np.zeros(30)]
    pictures = instruments.planes(flat)
    assert instruments.neighbours_kept(flat, pictures['PCA'], 5) > 4.9
    again = instruments.planes(flat)
    assert all(np.array_equal(pictures[name], again[name]) for name in pictures)
    scrambled = np.random.default_rng(1).permutation(pictures['PCA'])
    assert instruments.neighbours_kept(flat, scrambled, 5) < 3


def test_the_map_by_search_by_point_and_by_list(stage, film_map):
    page = stage.show(film_map)
    is_of(stage.answer(page), 1)
    page.get_by_role('combobox', name='Find a film').fill('film 3')
    page.keyboard.press('Enter')
    is_of(stage.answer(page), 7)
    page.locator('.d2i-near button').nth(2).click()
    third = neighbours_by_loops(7)[0][2]
    is_of(stage.answer(page), third)
    dot = page.locator('.d2i-map circle').nth(9)
    page.wait_for_timeout(600)  # until the dots stand still
    box = dot.bounding_box()
    page.mouse.move(box['x'] + box['width'] / 2, box['y'] + box['height'] / 2)
    assert TITLES[9] in page.locator('.d2i-map-words text').all_text_contents()
    page.mouse.down()
    page.mouse.up()
    is_of(stage.answer(page), 9)
    assert page.locator('.d2i-map circle.d2i-lit').count() == 4
    page.wait_for_timeout(600)
    front = page.evaluate(
        'point => document.elementFromPoint(...point).classList.value', stage.middle(dot)
    )
    assert front == 'd2i-chosen'  # no neighbour's dot before it
    page.get_by_label('Drawn by').select_option('0')
    assert stage.answer(page)['plane'] == 'PCA'
    page.get_by_label('Genre in colour').select_option(label='Odd')
    assert stage.answer(page)['group'] == 5


def test_the_map_is_walked_with_arrow_keys(stage, film_map):
    page = stage.show(film_map)
    page.get_by_role('application').focus()
    begin = stage.answer(page)['chosen']
    told = page.get_by_text(f'{film_map.data["names"][begin]}. Nearest: ')
    told.wait_for(state='attached')  # where the arrows begin
    seen = {begin}
    for key in ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp'] * 6:
        x, y = film_map.data['planes']['t-SNE'][stage.answer(page)['chosen']]
        page.keyboard.press(key)
        answer = stage.answer(page)
        to_x, to_y = film_map.data['planes']['t-SNE'][answer['chosen']]
        ahead = {
            'ArrowRight': to_x - x, 'ArrowLeft': x - to_x, 'ArrowUp': to_y - y,
            'ArrowDown': y - to_y,
        }[key]  # fmt: skip
        assert ahead >= 0
        is_of(answer, answer['chosen'])
        seen.add(answer['chosen'])
    assert len(seen) > 3


def test_a_finger_scrolls_the_list_of_films_and_the_map(stage, film_map):
    page = stage.phone(film_map)
    before, field = stage.answer(page), page.get_by_role('combobox').first
    field.tap()
    field.fill('film')
    listed = page.locator('.d2i-list')
    box = listed.bounding_box()
    assert listed.evaluate('e => e.scrollHeight - e.clientHeight') > 40
    stage.swipe(page, (box['x'] + 60, box['y'] + 200), (box['x'] + 60, box['y'] + 60))
    page.wait_for_function("document.querySelector('.d2i-list').scrollTop > 40")
    assert stage.answer(page) == before and listed.is_visible()
    film = listed.locator('li').nth(5)
    wanted = next(n for n, one in enumerate(TITLES) if film.inner_text().startswith(f'{one} '))
    film.tap()
    is_of(stage.answer(page), wanted)
    assert listed.is_hidden() and field.input_value() == TITLES[wanted]
    page.wait_for_timeout(600)  # until the dots stand still
    x, y = stage.middle(page.locator('.d2i-map circle').nth(9))
    page.touchscreen.tap(x, y)
    is_of(stage.answer(page), 9)
    assert TITLES[9] in page.locator('.d2i-map-words text').all_text_contents()
    page.evaluate("document.body.style.paddingBottom = '1000px', window.scrollTo(0, 0)")
    x, y = stage.middle(page.get_by_role('application'))
    scrolled = page.evaluate('window.scrollY')
    stage.swipe(page, (x, y + 80), (x, y - 100))
    page.wait_for_function(f'window.scrollY > {scrolled} + 50')
    is_of(stage.answer(page), 9)


@pytest.mark.parametrize(
    'vectors, options, says',
    [
        (VECTORS[:2], {}, '3 vectors or more'),
        (np.zeros((len(TITLES), 3)), {}, 'no direction'),
        (VECTORS * np.nan, {}, 'no direction'),
        (VECTORS, {'start': 99}, 'a place among them'),
        (VECTORS[:5], {}, 'a name for'),
        (VECTORS, {'years': [1994]}, 'years have shape'),
    ],
)
def test_the_map_refuses(vectors, options, says):
    with pytest.raises(ValueError, match=says):
        instruments.film_map(vectors, TITLES, **options)


# --- the order dial


@pytest.fixture(scope='module')
def runs():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        rng.uniform(0.55, 0.8, (7, 3)), index=SETTINGS, columns=['LR', '<b>FM</b>', 'MLP']
    )
    frame['best possible'] = rng.uniform(0.8, 0.9, 7)
    return frame


def test_the_dial_turns_to_every_setting(stage, runs):
    page = stage.show(instruments.order_dial(runs))
    switches = [page.get_by_role('button', name=f'order {order}') for order in (1, 2, 3)]
    begin = page.get_by_label('Where the share is 0')
    for setting in SETTINGS:
        for order, switch in zip('123', switches):
            if (order in setting) != (switch.get_attribute('aria-pressed') == 'true'):
                switch.press('Enter')
        models = runs.loc[setting, ['LR', '<b>FM</b>', 'MLP']]
        best = runs.loc[setting, 'best possible']
        for value, start in (('1', models.LR if setting != '1' else 0.5), ('0', 0.5)):
            begin.select_option(value)
            answer = stage.answer(page)
            assert answer['setting'] == setting
            share = instruments.recovered(models, start, best)
            np.testing.assert_allclose(answer['shares'], share, atol=1e-3)
            shown = page.locator('.d2i-dial .d2i-number').all_inner_texts()
            assert [float(text.replace('−', '-')) for text in shown] == pytest.approx(
                list(share), abs=0.0051
            )
    for switch in switches:
        switch.click()
    assert stage.answer(page)['shares'] == [] and 'Nothing is planted' in page.inner_text('body')


@pytest.mark.parametrize(
    'change, says',
    [
        (lambda runs: runs.drop(index='1 + 3'), 'lacks 1 \\+ 3'),
        (lambda runs: runs.drop(columns='LR'), 'lacks LR'),
        (lambda runs: runs * np.nan, 'NaN'),
        (lambda runs: runs * 0 + 0.5, 'nothing to recover'),
    ],
)
def test_the_dial_refuses(runs, change, says):
    with pytest.raises(ValueError, match=says):
        instruments.order_dial(change(runs))


# --- all three


@pytest.fixture(params=['five', 'film_map', 'dial'])
def one(request, five, film_map, runs):
    return {'five': five, 'film_map': film_map, 'dial': instruments.order_dial(runs)}[request.param]


def test_names_stay_text(stage, one):
    page = stage.show(one)
    assert page.locator('.d2i-live').count() == 1
    assert page.locator('.d2i-live :is(img, b), img:not([alt]), b').count() == 0
    hostile = {'five_films': HOSTILE[0], 'film_map': HOSTILE[1], 'order_dial': '<b>FM</b>'}
    assert hostile[one.name] in page.locator('.d2i-live').inner_text()


def test_without_a_script_a_figure_and_a_sentence(stage, one):
    page = stage.show(one, script=False)
    assert page.locator('.d2i-live').count() == 0
    assert page.locator('.d2i-without p').first.is_visible()
    assert page.locator('.d2i-without img[alt][src^="data:image/svg+xml"]').is_visible()


@pytest.mark.parametrize('language', ['ko', 'en'])
def test_nothing_is_wider_than_a_telephone(stage, one, language):
    page = stage.show(one, language=language, width=360)
    assert page.evaluate('document.documentElement.scrollWidth') <= 360
    text = page.locator('.d2i-live').inner_text()
    assert bool(re.search('[가-힣]', text.replace('영화', ''))) == (language == 'ko')


def test_every_control_is_used_by_keys(stage, one):
    stage.by_keys(stage.show(one))


def test_a_finger_finds_every_control(stage, one):
    assert stage.small(stage.phone(one)) == []
