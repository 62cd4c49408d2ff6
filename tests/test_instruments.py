"""The instruments: what they answer in the browser beside the library, and that they are safe."""

import json
import re

import d2lrec as d2l
from d2lrec.instruments import instrument as made

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from d2lrec_site import instruments as on_pages

HOSTILE = (
    '</script><script>document.title = "taken"</script><img src=x onerror="document.title=1">"\'&'
)
NAMES = sorted(path.stem for path in made.WORDS.glob('*.json') if path.stem != 'shared')


def clicks(users=6, films=9):
    """A small log in which gender follows from the user and genre from the film."""
    rng = np.random.default_rng(0)
    u, f = np.divmod(rng.permutation(users * films), films)
    frame = {'label': rng.integers(0, 2, len(u)), 'user': u, 'item': f, 'gender': u % 2}
    frame |= {'genre': f % 3, 'hour': rng.integers(0, 4, len(u))}
    return d2l.CTRDataset(pd.DataFrame(frame), min_threshold=1)


def set_weights(net, scale=0.5):
    net.initialize()
    rng = np.random.default_rng(1)
    for parameter in net.collect_params().values():
        parameter.set_data(mx.np.array(rng.normal(0, scale, parameter.shape), dtype='float32'))
    return net


def a_logit(names=None):
    data = clicks()
    net = set_weights(d2l.FM(data.field_dims, 5))
    rows = data.features[[0, 1]].copy()
    rows[1, [1, 3, 4]] = rows[0, [1, 3, 4]]
    return net, data, rows, d2l.instruments.logit(net, data, rows, names=names)


def two_vectors(titles=None):
    net = set_weights(d2l.MF(6, num_users=7, num_items=11, mean=3.5))
    titles = titles or [f'film {i}' for i in range(11)]
    return net, d2l.instruments.vectors(net, 3, 4, range(11), titles)


def two_scores(names=('LR', 'films')):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=2000)
    labels = (rng.random(2000) < d2l.sigmoid(logits)).astype(int)
    probs = d2l.sigmoid(logits + rng.normal(size=2000)), d2l.sigmoid(np.round(logits))
    return labels, dict(zip(names, probs)), d2l.instruments.scores(labels, dict(zip(names, probs)))


MAKERS = {
    'logit': lambda hostile: a_logit({'item': {str(f): hostile for f in range(9)}})[-1],
    'vectors': lambda hostile: two_vectors([hostile] * 11)[-1],
    'scores': lambda hostile: two_scores((hostile, 'other'))[-1],
    'machine': lambda hostile: d2l.instruments.machine(1e10),
}


# --- without a browser


@pytest.mark.parametrize('name', NAMES)
def test_words_are_the_same_in_every_language(name):
    spoken = made.spoken(name)
    assert set(spoken) == {'ko', 'en'}
    keys = {key for key in spoken['ko'] | spoken['en'] if not key.startswith('field.')}
    for language in spoken:
        missing = keys - set(spoken[language])
        assert not missing, (language, missing)
    for key in keys:
        braces = [set(re.findall(r'\{\w+\}', spoken[one][key])) for one in ('ko', 'en')]
        assert braces[0] == braces[1], key


def test_a_script_asks_for_nothing_and_makes_no_markup_of_data():
    for path in made.STATIC.glob('*.js'):
        text = path.read_text(encoding='utf-8')
        for word in (
            'innerHTML',
            'outerHTML',
            'insertAdjacent',
            'fetch(',
            'http:',
            'eval(',
            'document.write',
            'new Function',
            'XMLHttp',
        ):
            assert word not in text.replace('http://www.w3.org/2000/svg', ''), (path.name, word)
    assert 'url(' not in made.style() and '@import' not in made.style()
    assert '</script' not in made.script(NAMES)


@pytest.mark.parametrize('name', MAKERS)
def test_an_output_keeps_text_text_and_is_small(name):
    one = MAKERS[name](HOSTILE)
    output = one._repr_html_()
    assert '<img src=x' not in output and 'document.title = "taken"</script>' not in output
    assert len(output) < 2_000_000
    assert json.loads(one.json)['data'] == json.loads(json.dumps(one.data, default=made._plain))


def test_a_page_takes_its_language_and_leaves_the_script(monkeypatch):
    monkeypatch.setenv('D2LREC_LANGUAGE', 'en')
    output = MAKERS['vectors']('a film')._repr_html_()
    page = on_pages.in_language(output, 'ko')
    assert 'data-language' not in page and '<style' not in page and 'use strict' not in page
    assert page.count('<svg') == 1 and 'lang="en"' not in page and 'hidden' not in page
    kept = json.loads(re.search(r'json">(.*?)</script>', page)[1])
    assert set(kept['words']) == {'ko'} and kept['words']['ko']['title'] in page


def test_refusals():
    with pytest.raises(ValueError, match='no JSON'):
        d2l.instruments.Instrument('machine', {'one': float('nan')})
    with pytest.raises(ValueError, match='is no FM'):
        d2l.instruments.logit(d2l.LR([2]), clicks(), [[0], [1]])
    with pytest.raises(ValueError, match='two rows'):
        d2l.instruments.logit(set_weights(d2l.FM(clicks().field_dims, 2)), clicks(), [[0] * 5])
    with pytest.raises(ValueError, match='no vectors'):
        d2l.instruments.vectors(d2l.LR([2]), 0, 0, [0], ['x'])
    with pytest.raises(ValueError, match='give two'):
        d2l.instruments.scores([1, 0], {'LR': [0.5, 0.5]})
    with pytest.raises(ValueError, match='above 0'):
        d2l.instruments.training_needs(0, 1)
    with pytest.raises(ValueError, match='choose one of'):
        d2l.instruments.training_needs(1, 1, optimizer='FTRL')


def test_the_figure_of_a_logit_names_both_rows():
    axes = a_logit()[-1].figure.axes
    assert all(a.get_title('left') or a.get_title() for a in axes[:2])
    assert [a.get_xlabel() for a in axes[:2]] == ['logit', 'logit']


def test_the_figure_of_a_machine_is_in_gigabytes():
    bars = d2l.instruments.machine(1e9).figure.axes[0].patches
    assert bars[0].get_width() == pytest.approx(540e6 * 4 * 3 / 1e9, rel=0.01)  # Adam's three


def test_names_of_values_may_be_a_series():
    texts = {str(n): f'film {n}' for n in range(9)}
    of_dict, of_series = a_logit({'item': texts})[-1], a_logit({'item': pd.Series(texts)})[-1]
    assert of_dict.data == of_series.data and 'film 3' in str(of_series.data)
    with pytest.raises(ValueError, match=r"names\['item'\] is 3: give a dict"):
        a_logit({'item': 3})


def test_odd_arguments_get_one_sentence():
    net, one, titles = two_vectors()[0], d2l.instruments, ['x'] * 11
    for call, words in (
        (
            lambda: one.vectors(net, 99, 0, [0], titles),
            'user 99 or item 0 is not to choose from: give a user below 7',
        ),
        (lambda: one.vectors(net, 'a', 0, [0], titles), "user 'a' or item 0 is not to choose from"),
        (
            lambda: one.vectors(net, 0, [1], [0, 1], titles),
            r'user 0 or item \[1\] is not to choose from',
        ),
        (lambda: one.vectors(net, 0, 0, 3, titles), "items is 3: give numbers of the net's items"),
        (
            lambda: one.vectors(net, 0, 0, [0, 99], titles),
            'one of items is 99: give a whole number',
        ),
        (lambda: one.vectors(net, 0, 0, [0], ['x']), 'titles has 1 names and the net 11'),
        (lambda: one.vectors(net, 0, 0, [0], titles, [1]), 'users has 1 names and the net'),
        (lambda: one.scores([1, 0], [1]), r'models is \[1\]: give a dict {name: probabilities}'),
        (lambda: one.scores(None, {}), 'labels is None: give an array of numbers'),
        (
            lambda: one.scores([1, 0], {'a': [0.5, 'x'], 'b': [0, 1]}),
            r"models\['a'\] is .* numbers",
        ),
        (lambda: one.moved([0.5], 'x'), "sharpness is 'x': give a number"),
        (lambda: one.moved(['x']), r"probs is \['x'\]: give an array of numbers"),
        (lambda: one.machine('a'), "speed is 'a': give a number above 0"),
        (lambda: one.machine(1e9, 'x'), "own is 'x': give a dict of arguments of training_needs"),
        (lambda: one.machine(1e9, {'rows': None}), 'rows is None: give a number above 0'),
        (lambda: one.machine(1e9, memory=[]), r'memory is \[\]: give a number of gigabytes'),
        (lambda: one.training_needs('a', 1), "table_rows is 'a': give a number above 0"),
        (lambda: one.training_needs(1, float('inf')), 'rows is inf: give a number above 0'),
        (lambda: one.training_needs(1, 1, optimizer=[]), r'optimizer is \[\]: choose one of'),
        (lambda: one.training_needs(1, 1, dense_gradient='a'), "is 'a': give True or False"),
        (
            lambda: one.packed([[1], [2, 3]]),
            r'values is \[\[1\], \[2, 3\]\]: give an array of numbers',
        ),
        (lambda: one.packed([1], 7), 'bits is 7: choose 8, 16 or 32'),
        (lambda: one.rounded({}), 'values is {}: give an array of numbers'),
    ):
        with pytest.raises(ValueError, match=words) as refusal:
            call()
        assert '\n' not in str(refusal.value)


def test_which_fields_follow_is_found():
    one = a_logit()[-1].data
    fields = one['fields']
    user, item = fields.index('user'), fields.index('item')
    assert [fields[f] for f in one['own']] == ['user', 'gender']
    assert one['follow'][user]['fields'] == [fields.index('gender')]
    assert one['follow'][item]['fields'] == [fields.index('genre')]


def test_training_needs_of_a_net_that_is_there():
    for fields, factors in ((26, 8), (10, 16)):
        rows = 1000 * fields
        net = d2l.DLRM([1000] * fields, factors, list(d2l.instruments.machine(1).data['hidden']))
        sizes = net.describe()
        needs = d2l.instruments.training_needs(rows, 1, fields, factors, 'SGD')
        assert needs['multiply_adds'] == sizes.multiply_adds['total']
        assert needs['memory'] == 4 * sizes.parameters['total']
        drawn = np.random.default_rng(0).integers(1000, size=(1024, fields))
        touched = len(np.unique(drawn + 1000 * np.arange(fields)))
        assert abs(needs['touched'] / touched - 1) < 0.02


# --- in the browser: its answers are the library's


def test_logit_in_the_browser(stage):
    net, data, rows, one = a_logit()
    page = stage.show(one)

    def holds(ids):
        said = stage.answer(page)
        wanted = net(mx.np.array(ids, dtype='int32')).asnumpy()[:, 0]
        np.testing.assert_allclose(said['logits'], wanted, atol=1e-3)
        for row, logit, groups in zip(ids, said['logits'], said['groups']):
            bias, weights, pairs = d2l.instruments.logit_terms(net, row)
            assert abs(bias + weights.sum() + pairs.sum() - logit) < 1e-3
            assert abs(sum(groups) - logit) < 1e-6

    holds(rows)
    # another film for both, by keyboard: its genre follows; another user for one
    page.get_by_label('Fields that both rows share').or_(
        page.get_by_text('Fields that both rows')
    ).click()
    page.get_by_label('film', exact=True).select_option('3')
    page.get_by_label('user B').focus()
    page.keyboard.press('Home')
    page.keyboard.press('ArrowDown')
    ids = rows.copy()
    film = data.ids_of('item').start + 3
    genre = data.features[np.argmax(data.features[:, 1] == film), 3]
    ids[:, 1], ids[:, 3] = film, genre
    ids[1, 0] = 1
    ids[1, 2] = data.features[np.argmax(data.features[:, 0] == 1), 2]
    holds(ids)
    page.get_by_text('Every term').click()
    # the browser tells that a fold has opened a moment after the click, so the list is waited for
    expect = pytest.importorskip('playwright.sync_api').expect
    expect(page.locator('.d2i-scroll').first.locator('li')).to_have_count(1 + 5 + 10 + 1)


def test_vectors_in_the_browser(stage):
    net, one = two_vectors()
    page = stage.show(one)
    P, Q, b_u, b_i = (
        p.data().asnumpy() for p in (net.P.weight, net.Q.weight, net.user_bias, net.item_bias)
    )

    def holds(user, item):
        said = stage.answer(page)
        rating = net(mx.np.array([user]), mx.np.array([item])).item()
        assert (
            abs(said['rating'] - rating) < 1e-3 and abs(said['product'] - P[user] @ Q[item]) < 1e-3
        )
        table = net.mean + b_u[user] + b_i[:, 0] + Q @ P[user]
        assert said['best'] == np.argsort(-table, kind='stable')[:8].tolist()
        everyone = np.sort(net.mean + b_u[:, 0] + b_i[item] + P @ Q[item])
        np.testing.assert_allclose(said['crowd'], everyone[[0, 3, 6]], atol=1e-3)

    holds(3, 4)
    page.get_by_role('combobox', name='film').fill('film 7')
    page.keyboard.press('Enter')
    holds(3, 7)
    # the film's vector twice as long, by its slider: the angle stays, the product doubles
    before = stage.answer(page)
    page.get_by_label("length of the film's vector").fill(str(round(before['q'] / 2, 2)))
    after = stage.answer(page)
    assert abs(after['angle'] - before['angle']) < 0.1
    assert abs(after['product'] / before['product'] - after['q'] / before['q']) < 1e-3
    # the tip by arrow keys, and by mouse: still the inner product of what is shown
    page.get_by_role('slider', name="tip of the user's vector").focus()
    for key in ('ArrowUp', 'ArrowLeft', 'Shift+ArrowUp'):
        page.keyboard.press(key)
    tip = page.locator('.d2i-handle.d2i-q').bounding_box()
    page.mouse.move(tip['x'] + 22, tip['y'] + 22)
    page.mouse.down()
    page.mouse.move(tip['x'] + 60, tip['y'] - 10, steps=3)
    page.mouse.up()
    last = stage.answer(page)
    assert last['p'] != after['p'] and last['q'] != after['q']
    p, q = np.array(last['vp']), np.array(last['vq'])
    assert abs(p @ q - last['product']) < 1e-3
    biases = b_u[3, 0] + b_i[7, 0]
    assert abs(net.mean + biases + p @ q - last['rating']) < 1e-3
    page.get_by_role('button', name='Start again').click()
    holds(3, 7)


def test_scores_in_the_browser(stage):
    labels, probs, one = two_scores()
    page = stage.show(one)

    def holds(model, sharpness, bias, threshold):
        page.wait_for_function(
            'wanted => {'
            ' const said = JSON.parse(document.querySelector(".d2i-live").dataset.answer);'
            ' return Math.abs(said.threshold - wanted[2]) < 1e-9 &&'
            ' said.setting.some(s => Math.abs(s.sharpness - wanted[0]) < 1e-9 &&'
            ' Math.abs(s.bias - wanted[1]) < 1e-9); }',
            arg=[sharpness, bias, threshold],
        )
        said = stage.answer(page)['models'][model]
        p = d2l.instruments.moved(list(probs.values())[model], sharpness, bias)
        report = d2l.ctr_report(labels, p)
        table = d2l.calibration_table(labels, p)
        assert abs(said['auc'] - report['auc']) < 1e-3
        assert abs(said['logLoss'] - report['log_loss']) < 1e-3
        assert abs(said['mean'] - report['mean_prob']) < 1e-3
        np.testing.assert_allclose(said['calibration'], table[['predicted', 'observed']], atol=1e-3)
        called = p >= threshold
        assert abs(said['accuracy'] - (called == labels).mean()) < 1e-3
        assert abs(said['precision'] - labels[called].mean()) < 1e-3
        assert abs(said['recall'] - called[labels == 1].mean()) < 1e-3
        return said

    first = holds(0, 1, 0, 0.5)
    page.get_by_label('Sharpness').focus()
    for _ in range(20):  # steps of .05 in powers of two
        page.keyboard.press('ArrowRight')
    moved = holds(0, 2, 0, 0.5)
    assert moved['auc'] == first['auc'] and moved['logLoss'] > first['logLoss']
    page.get_by_label('Bias').fill('-1')
    page.get_by_label('Threshold').fill('0.7')
    holds(0, 2, -1, 0.7)
    page.get_by_label('Model to move').select_option(label='films')
    page.get_by_label('Bias').fill('0.5')
    holds(1, 1, 0.5, 0.7)


def test_machine_in_the_browser(stage):
    page = stage.show(d2l.instruments.machine(2e10))

    def holds():
        said = stage.answer(page)
        wanted = d2l.instruments.training_needs(**said['given'])
        assert said['needs'].keys() == wanted.keys()
        for name, value in wanted.items():
            assert abs(said['needs'][name] / value - 1) < 1e-9, name
        return said

    assert holds()['fits']
    table = page.locator('.d2i-slider', has=page.get_by_label('rows of the table'))
    page.get_by_label('Size of the table').select_option(label='DLRM, Criteo Kaggle')
    assert holds()['given']['table_rows'] == 540e6 / 16
    assert table.locator('output').inner_text() == '33.8 million'  # between two of the steps
    page.get_by_label('rows of the table').press('ArrowRight')
    assert table.locator('output').inner_text() == '34.7 million'
    page.get_by_label('Size of the table').select_option(label='Meta, production')
    assert not holds()['fits'] and 'does not fit' in page.locator('.d2i-verdict').inner_text()
    page.get_by_label('optimizer').select_option(label='SGD')
    page.get_by_label('gradient').select_option('1')
    page.get_by_label('network', exact=True).select_option('3')
    page.get_by_label('fields').fill('40')
    page.get_by_label('rows logged a day').fill('10.2')
    page.get_by_label('rows logged a day').press('ArrowRight')
    page.get_by_label('rows of the table').fill('4')
    said = holds()
    assert said['given']['rows'] > 1e10 and said['fits']


def test_a_verdict_hides_no_control_that_has_the_focus(stage):
    page = stage.show(d2l.instruments.machine(2e10), width=390)
    page.set_viewport_size({'width': 390, 'height': 500})
    verdict = page.locator('.d2i-verdict')
    controls = page.locator('.d2i-live :is(select, input)')
    assert controls.count() > 8
    for n in range(1, controls.count()):
        controls.nth(n - 1).focus()
        bottom = controls.nth(n).evaluate('e => e.getBoundingClientRect().bottom + scrollY')
        page.evaluate(f'scrollTo(0, {bottom} - 490)')  # the next one lies at the window's edge
        page.keyboard.press('Tab')
        end = page.evaluate('document.activeElement.getBoundingClientRect().bottom')
        assert end <= verdict.bounding_box()['y'], n


def test_a_threshold_tells_what_it_cuts(stage):
    """Who listens hears of the measures that move with it: the AUC does not."""
    page = stage.show(two_scores()[2])
    page.get_by_label('Threshold').press('ArrowLeft')
    told = re.compile(r'^LR: accuracy 0\.\d{3}, precision 0\.\d{3}, recall .*% called 1$')
    page.get_by_text(told).wait_for(state='attached')
    page.get_by_label('Bias').press('ArrowLeft')
    page.get_by_text(re.compile('^LR: AUC ')).wait_for(state='attached')


def test_a_machine_tells_its_numbers(stage):
    """Also where the verdict stays as it was."""
    page = stage.show(d2l.instruments.machine(2e10))
    for key in ('Home', 'End'):  # SGD, Adam
        page.get_by_label('optimizer').press(key)
        memory = re.escape(page.locator('.d2i-gauge .d2i-number').first.inner_text())
        told = re.compile(f"^Memory {memory}, a day's log .* One machine will do")
        page.get_by_text(told).wait_for(state='attached')


@pytest.mark.parametrize('name', MAKERS)
def test_an_instrument_on_a_small_screen(stage, name):
    one = MAKERS[name](HOSTILE)
    page = stage.show(one, language='ko', width=390)
    assert page.evaluate('document.documentElement.scrollWidth') <= 390
    assert page.title() == name and page.locator('.d2i-live img, img[onerror]').count() == 0
    assert page.locator('.d2i-live').get_attribute('lang') == 'ko'
    assert not page.locator('.d2i-without').is_visible()
    unnamed = page.evaluate(
        "[...document.querySelectorAll('.d2i-live :is(input, select, [tabindex])')].filter(e =>"
        " !(e.labels && e.labels.length) && !e.getAttribute('aria-label')).length"
    )
    assert unnamed == 0
    page.wait_for_timeout(400)
    assert page.locator('.d2i-live-region').first.text_content() == ''  # nobody has asked yet
    for control in page.locator('.d2i-live :is(select, input[type=range])').all():
        if control.is_visible():
            control.press('ArrowDown')
    page.wait_for_function("document.querySelector('.d2i-live-region').textContent.length > 5")
    page.emulate_media(media='print')
    assert page.locator('.d2i-without').is_visible()
    assert not page.locator('.d2i-live').is_visible()


@pytest.mark.parametrize('name', MAKERS)
def test_every_control_is_used_by_keys(stage, name):
    no_change = ['Model to move', 'Size of the table']  # says what moves; the first two are alike
    stage.by_keys(stage.show(MAKERS[name]('a film')), no_change)


@pytest.mark.parametrize('name', MAKERS)
def test_a_finger_finds_every_control(stage, name):
    assert stage.small(stage.phone(MAKERS[name]('a film'))) == []


def test_a_finger_drags_a_vector_and_scrolls_beside_it(stage):
    page = stage.phone(two_vectors()[1])
    tip, place = page.locator('.d2i-handle.d2i-q .d2i-touch'), 'window.scrollY'
    before, (x, y) = stage.answer(page), stage.middle(tip)
    scrolled = page.evaluate(place)
    stage.swipe(page, (x, y), (x - 40, y + 30))
    after = stage.answer(page)
    assert after['vq'] != before['vq'] and after['vp'] == before['vp']
    assert page.evaluate(place) == scrolled
    there = stage.middle(tip)
    assert abs(there[0] - x + 40) < 2 and abs(there[1] - y - 30) < 2  # under the finger
    x, y = there  # straight down, as a page is scrolled
    stage.swipe(page, (x, y), (x, y + 70))
    there = stage.middle(tip)
    assert abs(there[1] - y - 70) < 2 and page.evaluate(place) == scrolled
    after = stage.answer(page)
    left, top = (page.locator('.d2i-drag').bounding_box()[one] for one in 'xy')
    stage.swipe(page, (left + 8, top + 250), (left + 8, top + 100))
    page.wait_for_function(f'{place} > {scrolled} + 50')
    assert stage.answer(page) == after
    ruler = page.locator('input[type=range]').first
    x, y = stage.middle(ruler)
    box, share = ruler.bounding_box(), ruler.evaluate('e => e.value / e.max')
    begin = box['x'] + 8 + (box['width'] - 16) * share
    stage.swipe(page, (begin, y), (box['x'] + box['width'] * 0.95, y))
    assert stage.answer(page)['p'] > after['p']


def test_bars_stay_in_their_lines_at_the_ends_of_sliders(stage):
    page = stage.show(two_vectors()[1], width=390)
    for end in ('max', 'min'):
        for slider in page.locator('input[type=range]').all():
            slider.evaluate(f"e => {{ e.value = e.{end}; e.dispatchEvent(new Event('input')) }}")
        beyond = page.evaluate(
            """() => [...document.querySelectorAll('.d2i-bar-fill')].filter(e => {
            const fill = e.getBoundingClientRect(), line = e.parentElement.getBoundingClientRect();
            return fill.left < line.left - 1 || fill.right > line.right + 1 }).length"""
        )
        assert beyond == 0, end
    names = page.locator('.d2i-handle text')
    above, below = (names.nth(n).bounding_box() for n in (0, 1))  # both tips are at 0 now
    assert above['y'] + above['height'] <= below['y']


@pytest.mark.parametrize('name', MAKERS)
def test_without_a_script_a_figure_and_a_sentence_stand_there(stage, name):
    page = stage.show(MAKERS[name]('a film'), script=False)
    assert page.locator('.d2i-without p').is_visible()
    picture = page.locator('.d2i-without img')  # all that a notebook shows which is not trusted
    assert picture.is_visible() and len(picture.get_attribute('alt')) > 20
    assert picture.evaluate('image => image.decode().then(() => image.naturalWidth)') > 200
    assert '{' not in page.locator('.d2i-without p').inner_text()


@pytest.mark.parametrize('name', MAKERS)
def test_keys_are_the_instruments_and_not_jupyters(stage, name):
    """JupyterLab takes arrow keys and Enter for its cells, unless the element itself forbids it."""
    page = stage.show(MAKERS[name]('a film'))
    focusable = '.d2i-live :is(a, button, input, select, summary, [tabindex])'
    assert page.locator(focusable).count() > 3
    assert page.locator(f'{focusable}:not([data-lm-suppress-shortcuts])').count() == 0


def test_each_edition_has_its_figure_as_a_part_of_the_page(monkeypatch):
    monkeypatch.setenv('D2LREC_LANGUAGE', 'en')
    text = MAKERS['scores']('a film')._repr_html_()
    assert text.count('<svg role="img"') == 2 and '<img' not in text
