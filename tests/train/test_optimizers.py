"""Muon and AdamW behind one optimizer."""

import copy

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from tinygsm_kit.train.optimizers import Float32Muon, MuonFactory, orthogonalise

SETTINGS = {"lr": 1e-2, "muon_lr": 2e-2, "weight_decay": 0.1, "betas": (0.9, 0.999), "eps": 1e-8}


def tiny_model():
    torch.manual_seed(0)
    config = AutoConfig.for_model("gpt2", n_embd=16, n_layer=2, n_head=2, n_positions=16, vocab_size=40, resid_pdrop=0.0,
                                  embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0)  # fmt: skip
    return AutoModelForCausalLM.from_config(config)


def step(model, optimizer, seed):
    ids = torch.randint(0, 40, (4, 12), generator=torch.Generator().manual_seed(seed))
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    optimizer.zero_grad()


def test_float32_muon_moves_like_torchs_to_bfloat16():
    torch.manual_seed(0)
    shapes = [(16, 48), (48, 16), (16, 48)]
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    theirs = [torch.nn.Parameter(matrix.detach().clone()) for matrix in ours]
    starts = [matrix.detach().clone() for matrix in ours]
    settings = {"lr": 0.05, "weight_decay": 0.1, "adjust_lr_fn": "match_rms_adamw"}
    pair = Float32Muon(ours, **settings), torch.optim.Muon(theirs, **settings)
    for _ in range(4):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        for optimizer in pair:
            optimizer.step()
    for one, other, start in zip(ours, theirs, starts, strict=True):
        assert (one - other).norm() < 0.01 * (other - start).norm()


def test_orthogonalise_brings_singular_values_near_one():
    torch.manual_seed(0)
    for shape in ((3, 8, 32), (3, 32, 8)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(shape), (3.4445, -4.775, 2.0315), 5, 1e-7))
        assert values.min() > 0.5
        assert values.max() < 1.5


def test_hidden_matrices_go_to_muon_and_the_rest_to_adamw():
    model = tiny_model()
    optimizer = MuonFactory()(model, **SETTINGS)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    in_muon = {names[id(parameter)] for group in optimizer.muon.param_groups for parameter in group["params"]}
    assert in_muon == {f"transformer.h.{layer}.{part}.weight" for layer in (0, 1)
                       for part in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")}  # fmt: skip
    in_adamw = {names[id(parameter)] for group in optimizer.adamw.param_groups for parameter in group["params"]}
    assert in_muon | in_adamw == set(names.values())
    assert not in_muon & in_adamw
    decayed = {names[id(parameter)] for parameter in optimizer.adamw.param_groups[0]["params"]}
    assert decayed == {"transformer.wte.weight", "transformer.wpe.weight"}


def test_a_scheduler_reaches_both():
    optimizer = MuonFactory()(tiny_model(), **SETTINGS)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step)
    optimizer.step()
    scheduler.step()
    assert [group["lr"] for group in optimizer.muon.param_groups] == [1e-2]
    assert [group["lr"] for group in optimizer.adamw.param_groups] == [5e-3, 5e-3]


def test_a_restored_optimizer_goes_on_as_if_nothing_had_happened():
    model = tiny_model()
    optimizer = MuonFactory()(model, **SETTINGS)
    for seed in range(3):
        step(model, optimizer, seed)
    twin = copy.deepcopy(model)
    restored = MuonFactory()(twin, **SETTINGS)
    restored.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for seed in range(3, 6):
        step(model, optimizer, seed)
        step(twin, restored, seed)
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert one.equal(other)
