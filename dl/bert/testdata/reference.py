"""Writes what transformers computes, for dl/bert's tests.

    python reference.py FOLDER-OF-all-MiniLM-L6-v2

Output: reference.json, tokens and vectors of that model; tiny/, a model of a few numbers, and
tiny.json, the same of it. Needs torch, transformers and tokenizers; the versions are in the files.
"""

import json
import pathlib
import sys

import tokenizers
import torch
import transformers
from transformers import AutoTokenizer, BertConfig, BertModel, BertTokenizerFast

HERE = pathlib.Path(__file__).parent
TEXTS = [
    "A cat sits on the mat.", "Stocks fell sharply on Monday, after a week of gains!", "",
    "Über-naïve café — 日本語のテキスト and emoji 😀?", "one", "The quick brown fox jumps over the lazy dog. " * 6,
    "don't can't I'm 3.14 1,234 U.S.A. e-mail@example.com", "Antidisestablishmentarianism floccinaucinihilipilification",
    "  tabs\tand\nnew lines  ", "word " * 300,
]


def write(folder, to, longest):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = BertModel.from_pretrained(folder).double().eval()
    tokens = [tokenizer(t, truncation=True, max_length=longest)["input_ids"] for t in TEXTS]
    b = tokenizer(TEXTS, padding=True, truncation=True, max_length=longest, return_tensors="pt")
    with torch.no_grad():
        h = model(**b).last_hidden_state
    counted = b["attention_mask"].unsqueeze(-1).double()
    mean = (h * counted).sum(1) / counted.sum(1).clamp(min=1e-9)
    vectors = torch.nn.functional.normalize(mean, dim=1)
    versions = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "torch": torch.__version__}
    file = {"versions": versions, "texts": TEXTS, "tokens": tokens, "embeddings": [[round(v, 8) for v in r] for r in vectors.tolist()]}
    (HERE / to).write_text(json.dumps(file, ensure_ascii=False))


def tiny():
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "sits", "on", "the", "mat", ".", ",", "!", "?", "'", "one", "word", "dog", "stocks", "fell"]
    words += [c for c in "abcdefghijklmnopqrstuvwxyz0123456789" if c not in words] + ["##" + c for c in "abcdefghijklmnopqrstuvwxyz0123456789"]
    vocabulary = HERE / "vocab.txt"
    vocabulary.write_text("\n".join(words))
    folder = HERE / "tiny"
    BertTokenizerFast(vocab_file=str(vocabulary), do_lower_case=True).save_pretrained(folder)
    vocabulary.unlink()
    torch.manual_seed(1)
    config = BertConfig(vocab_size=len(words), hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, max_position_embeddings=64)
    model = BertModel(config)
    for p in model.parameters():
        p.data.add_(torch.randn_like(p) * 0.3)
    model.save_pretrained(folder)
    pooling = folder / "1_Pooling"
    pooling.mkdir(exist_ok=True)
    (pooling / "config.json").write_text('{"word_embedding_dimension": 8, "pooling_mode_mean_tokens": true}')
    kinds = (("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize"))
    (folder / "modules.json").write_text(json.dumps([{"type": f"sentence_transformers.models.{k}", "path": p} for k, p in kinds]))
    write(folder, "tiny.json", 64)


write(sys.argv[1], "reference.json", 256)
tiny()
