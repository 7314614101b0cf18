"""llama.cpp's own server with a tiny random model made on the spot: `python … MODEL.gguf`.

Prints its address, serves until stdin ends. Needs the packages xllamacpp and gguf.
"""

import sys
from pathlib import Path

import gguf
import numpy as np
import xllamacpp

_CONTEXT = 16_384
_WIDTH, _HIDDEN, _HEADS = 32, 64, 2
_UNKNOWN, _CONTROL, _NORMAL, _BYTE = 2, 3, 1, 6


def make_model(path: Path) -> None:
    """One layer of random weights over bytes and 250 Chinese characters; 100 kB."""
    words = _words()
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny-random")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_HIDDEN)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(len(words))
    writer.add_file_type(0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([word.encode() for word, _ in words])
    writer.add_token_scores([float(-place) for place in range(len(words))])
    writer.add_token_types([kind for _, kind in words])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    _add_weights(writer, len(words))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _words() -> list[tuple[str, int]]:
    special = [("<unk>", _UNKNOWN), ("<s>", _CONTROL), ("</s>", _CONTROL)]
    single = [(f"<0x{byte:02X}>", _BYTE) for byte in range(256)]
    return [*special, *single, *((chr(0x4E00 + n), _NORMAL) for n in range(253))]


def _add_weights(writer: gguf.GGUFWriter, words: int) -> None:
    chance = np.random.default_rng(1)
    square = (_WIDTH, _WIDTH)
    shapes = {
        "token_embd": (words, _WIDTH),
        "output": (words, _WIDTH),
        **{f"blk.0.attn_{part}": square for part in ("q", "k", "v", "output")},
        "blk.0.ffn_gate": (_HIDDEN, _WIDTH),
        "blk.0.ffn_up": (_HIDDEN, _WIDTH),
        "blk.0.ffn_down": (_WIDTH, _HIDDEN),
    }
    for name, shape in shapes.items():
        weights = (chance.standard_normal(shape) * 0.2).astype(np.float32)
        writer.add_tensor(f"{name}.weight", weights)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(_WIDTH, dtype=np.float32))


def main() -> None:
    path = Path(sys.argv[1])
    make_model(path)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads = _CONTEXT, 1, 1
    params.warmup, params.chat_template = False, "chatml"
    params.port = int(sys.argv[2])  # on loopback, as is its default
    server = xllamacpp.Server(params)
    print(f"address {server.listening_address}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
