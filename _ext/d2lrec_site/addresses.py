"""Where the project and its site live: pyproject.toml's [project.urls] says it, and only that."""

import re

from d2lrec_site.editions import ROOT


def addresses(root=ROOT):
    """{name: address} of [project.urls], without a slash at the end."""
    text = (root / 'pyproject.toml').read_text(encoding='utf-8')
    table = re.search(r'^\[project\.urls\]$(.*?)(?=^\[|\Z)', text, flags=re.MULTILINE | re.DOTALL)
    pairs = re.findall(r'^(\w+) *= *"([^"]+)"', table[1] if table else '', flags=re.MULTILINE)
    return {name: address.rstrip('/') for name, address in pairs}


REPOSITORY = addresses().get('Repository', '')
SITE = addresses().get('Documentation', '')  # '' while the site is not published
BRANCH = 'notebooks'  # of the repository: the notebooks that run alone, published by the workflow


def raw(path, branch='main'):
    """The address of a file of the repository as it is."""
    return f'{REPOSITORY}/raw/{branch}/{path}'


def launchers(language, name):
    """{'colab', 'binder': address that opens an exported notebook}; none but for GitHub."""
    host, _, project = REPOSITORY.partition('github.com/')
    if host != 'https://' or project.count('/') != 1:
        return {}
    return {
        'colab': f'https://colab.research.google.com/github/{project}/blob/{BRANCH}/'
        f'{language}/{name}',
        'binder': f'https://mybinder.org/v2/gh/{project}/{BRANCH}?labpath={language}%2F{name}',
    }
