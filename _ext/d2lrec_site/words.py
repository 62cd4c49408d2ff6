"""The theme's words in Korean, where its own catalogue has none or a poor one."""

import gettext

from sphinx.locale import translators

THEME = {
    'Skip to main content': '본문으로 건너뛰기',
    'Back to top': '맨 위로',
    'On this page': '이 장의 차례',
    'Contents': '이 장의 차례',
    'Section Navigation': '장 둘러보기',
    'Site navigation': '책 둘러보기',
    'Breadcrumb': '현재 위치',
    'Announcement': '알림',
    'Home': '처음',
    'Indices': '색인',
    'General Index': '색인',
    'Show Source': '원본 보기',
    'light/dark': '밝게/어둡게',
    'previous': '이전',
    'next': '다음',
    'previous page': '이전 장',
    'next page': '다음 장',
    'Fullscreen mode': '전체 화면',
    'Download this page': '이 장 내려받기',
    'Download notebook file': '노트북 내려받기',
    'Download source file': '원본 내려받기',
    'Print to PDF': 'PDF로 인쇄',
    'Click to show': '펼치기',
    'Click to hide': '접기',
    'By': '지은이',
    'logo': '로고',
    'Copyright': '저작권',
    'Version warning': '알림',
    'Table of contents': '이 장의 차례',
    'Link to this heading': '이 제목의 주소',
    'Link to this equation': '이 수식의 주소',
    'Link to this image': '이 그림의 주소',
    'Link to this table': '이 표의 주소',
    'Link to this code': '이 코드의 주소',
    'Link to this definition': '이 정의의 주소',
    'Link to this term': '이 용어의 주소',
    'Please activate JavaScript to enable the search functionality.': '검색하려면 JavaScript를 켜 주십시오.',
}

# Words that the templates and scripts do not pass through any catalogue.
TEMPLATE_WORDS = {
    'title="Toggle primary sidebar"': 'title="차례 여닫기"',
    'title="Toggle secondary sidebar"': 'title="이 장의 차례 여닫기"',
    'aria-label="Main"': 'aria-label="책의 차례"',
    'aria-label="Page"': 'aria-label="이 장의 차례"',
}

COPY_BUTTON = """messages['ko'] = {
  'copy': '복사',
  'copy_to_clipboard': '코드 복사',
  'copy_success': '복사했습니다',
  'copy_failure': '복사하지 못했습니다',
}

"""


class KoreanWords(gettext.NullTranslations):
    """A catalogue kept in a dictionary."""

    def gettext(self, message):
        return THEME.get(message) or super().gettext(message)


def install(app):
    """Puts these words before the catalogues that Sphinx and the theme loaded."""
    for name in ('sphinx', 'booktheme', 'togglebutton'):
        words = KoreanWords()
        words.add_fallback(translators.get(('general', name), gettext.NullTranslations()))
        translators[('general', name)] = words
    templates = app.builder.templates
    templates.environment.install_gettext_translations(translators[('general', 'sphinx')])


def teach_copy_button(script):
    """Adds Korean to the copy button's script, a file of the built site."""
    text = script.read_text(encoding='utf-8')
    marker = "let locale = 'en'"
    if marker not in text:
        raise ValueError(f'{script} has no line {marker!r}: see how it picks its language now.')
    if "messages['ko']" not in text:
        script.write_text(text.replace(marker, COPY_BUTTON + marker), encoding='utf-8')
