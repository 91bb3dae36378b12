"""Mistakes that language models make in rewards; `mistakes_golden.json` holds what each is told."""

from reward_mistakes_memory import MEMORIES, written

_HEAD = "import torch\nimport math\n\ndef compute_reward({}):\n"


def _body(parameters: str, *lines: str) -> str:
    return _HEAD.format(parameters) + "".join(f"    {line}\n" for line in lines)


_DISTANCE = "d = (object_pos - goal_pos).norm(dim=-1)"
_POSITIONS = "object_pos, goal_pos"

MISTAKES: dict[str, str] = {
    **MEMORIES,
    "branch_on_any": _body(
        "success, up_proj", "if success.any():", "    up_proj = up_proj + 1.0", "return up_proj, {'u': up_proj}"
    ),
    "branch_on_mean": _body(_POSITIONS, _DISTANCE, "w = 2.0 if d.mean() < 0.1 else 1.0", "return -w * d, {'d': -d}"),
    "branch_on_tensor": _body(
        "up_proj", "if up_proj > 0.9:", "    return up_proj, {'u': up_proj}", "return -up_proj, {'u': up_proj}"
    ),
    "python_max": _body("up_proj, heading", "r = max(up_proj, heading)", "return r, {'r': r}"),
    "and_between_masks": _body(
        "up_proj, heading", "ok = (up_proj > 0) and (heading > 0)", "return ok.float(), {'ok': ok}"
    ),
    "item": _body(_POSITIONS, _DISTANCE, "return -d, {'d': -d, 'mean': d.mean().item()}"),
    "numpy_on_tensors": _body(
        _POSITIONS,
        "import numpy as np",
        "d = np.linalg.norm(object_pos.numpy() - goal_pos.numpy(), axis=-1)",
        "r = torch.from_numpy(d)",
        "return r, {'r': r}",
    ),
    "numpy_function": _body(
        "up_proj", "import numpy as np", "r = torch.as_tensor(np.exp(up_proj))", "return r, {'r': r}"
    ),
    "math_on_tensor": _body("up_proj", "r = math.exp(up_proj)", "return r, {'r': r}"),
    "tolist": _body("up_proj", "r = torch.tensor([max(x, 0.0) for x in up_proj.tolist()])", "return r, {'r': r}"),
    "loop_over_environments": _body(
        _POSITIONS,
        "n = object_pos.shape[0]",
        "r = torch.zeros(n)",
        "for i in range(n):",
        "    r[i] = -torch.norm(object_pos[i] - goal_pos[i])",
        "return r, {'r': r}",
    ),
    "divides_by_num_envs": _body("up_proj", "r = up_proj / up_proj.shape[0]", "return r, {'r': r}"),
    "fixed_num_envs": _body("up_proj", "r = up_proj * torch.ones(154)", "return r, {'r': r}"),
    "batch_statistics": _body(_POSITIONS, _DISTANCE, "r = -(d - d.mean()) / (d.std() + 1e-6)", "return r, {'r': r}"),
    "picks_first_environment": _body("object_pos, up_proj", "r = up_proj - object_pos[0, 2]", "return r, {'r': r}"),
    "mean_component": _body(_POSITIONS, _DISTANCE, "return -d, {'d': -d, 'mean': d.mean()}"),
    "softmax_over_environments": _body("up_proj", "r = torch.softmax(up_proj, dim=0)", "return r, {'r': r}"),
    "cumsum_over_environments": _body("up_proj", "r = torch.cumsum(up_proj, dim=0)", "return r, {'r': r}"),
    "pairs_of_environments": _body(
        _POSITIONS, "r = -torch.cdist(object_pos, goal_pos).min(dim=1).values", "return r, {'r': r}"
    ),
    "broadcast_to_pairs": _body(
        "object_pos, goal_pos, up_proj",
        "d = torch.norm(object_pos - goal_pos, dim=-1, keepdim=True)",
        "r = (up_proj - d).mean(dim=-1)",
        "return r, {'r': r}",
    ),
    "random_noise": _body("up_proj", "r = up_proj + 0.01 * torch.randn_like(up_proj)", "return r, {'r': r}"),
    "python_random": _body("up_proj", "import random", "r = up_proj * random.random()", "return r, {'r': r}"),
    "nonzero_indices": _body(
        "success, up_proj",
        "ids = success.nonzero().squeeze(-1)",
        "r = torch.zeros_like(up_proj)",
        "r[ids] = 3.0",
        "return r, {'r': r}",
    ),
    "reduces_a_mask": _body("success, up_proj", "r = up_proj - up_proj[success].mean()", "return r, {'r': r}"),
    "two_masks": _body(
        "success, up_proj",
        "r = up_proj.clone()",
        "r[success] = (up_proj * 2.0)[success & (up_proj < 9.0)]",
        "return r, {'r': r}",
    ),
    "gather": _body(
        "foot_height",
        "low = foot_height.argmin(dim=-1, keepdim=True)",
        "r = foot_height.gather(1, low).squeeze(-1)",
        "return r, {'r': r}",
    ),
    "index_by_tensor": _body(
        "foot_height, episode_length",
        "table = torch.tensor([0.0, 1.0, 2.0])",
        "r = table[episode_length.clamp(0, 2)]",
        "return r, {'r': r}",
    ),
    "unsupported_operation": _body(
        "contact_forces", "r = torch.linalg.svdvals(contact_forces)[:, 0]", "return r, {'r': r}"
    ),
    "names_a_device": _body("up_proj", "w = torch.ones(3).to('cuda')", "return up_proj * w[0], {'r': up_proj}"),
    "missing_import": written("def compute_reward(up_proj):", "    r = torch.exp(up_proj)", "    return r, {'r': r}"),
    "unknown_name": _body("up_proj", "r = up_proj - target_height", "return r, {'r': r}"),
    "unknown_field": _body("up_project", "return up_project, {'r': up_project}"),
    "unknown_function": _body("up_proj", "r = torch.smoothstep(up_proj)", "return r, {'r': r}"),
    "foreign_import": written(
        "import isaacgym", "import torch", "", "def compute_reward(up_proj):", "    return up_proj, {'r': up_proj}"
    ),
    "shapes_do_not_fit": _body(
        "dof_pos, foot_height", "r = -(dof_pos - foot_height).abs().sum(-1)", "return r, {'r': r}"
    ),
    "negates_a_mask": _body("success, up_proj", "r = -success + up_proj", "return r, {'r': r}"),
    "integer_norm": _body("episode_length, up_proj", "r = up_proj - episode_length.mean(dim=-1)", "return r, {'r': r}"),
    "column_total": _body(
        _POSITIONS, "d = torch.norm(object_pos - goal_pos, dim=-1, keepdim=True)", "return -d, {'d': -d.squeeze(-1)}"
    ),
    "scalar_total": _body(_POSITIONS, _DISTANCE, "return -d.mean(), {'d': -d}"),
    "float_total": _body("up_proj", "return 1.0, {'u': up_proj}"),
    "integer_total": _body("success", "r = success.long()", "return r, {'r': r}"),
    "no_dictionary": _body("up_proj", "return up_proj"),
    "three_results": _body("up_proj", "return up_proj, {'u': up_proj}, {}"),
    "list_of_components": _body("up_proj", "return up_proj, [up_proj]"),
    "empty_dictionary": _body("up_proj", "return up_proj, {}"),
    "no_return": _body("up_proj", "r = up_proj * 2"),
    "vector_component": _body("object_pos, up_proj", "return up_proj, {'position': object_pos}"),
    "text_component": _body("up_proj", "return up_proj, {'note': 'fast', 'u': up_proj}"),
    "number_as_name": _body("up_proj", "return up_proj, {1: up_proj}"),
    "nan_on_some_states": _body(
        "base_height, up_proj",
        "effort = torch.log(base_height)",
        "return up_proj + 0.1 * effort, {'effort': effort, 'up': up_proj}",
    ),
    "infinite_on_some_states": _body("success, up_proj", "r = up_proj / (1.0 - success.float())", "return r, {'r': r}"),
    "huge_tensor": _body("up_proj", "r = up_proj.unsqueeze(-1).expand(-1, 5000).sum(-1)", "return r, {'r': r}"),
    "too_many_operations": _body(
        "up_proj", "r = up_proj", "for k in range(3000):", "    r = r + 0.001 * k", "return r, {'r': r}"
    ),
    "gradients": _body(
        "up_proj",
        "x = up_proj.clone().requires_grad_(True)",
        "y = (x ** 2).sum()",
        "y.backward()",
        "return x.grad, {'g': x.grad}",
    ),
    "no_function": written("import torch", "", "def reward(up_proj):", "    return up_proj, {'u': up_proj}"),
    "syntax_error": written("import torch", "", "def compute_reward(up_proj):", "    return up_proj, {'u': up_proj"),
    "raises": _body("up_proj", "raise ValueError('not written yet')"),
    "swallows_the_error": _body(
        "up_proj",
        "try:",
        "    bonus = 1.0 if up_proj.mean() > 0 else 0.0",
        "except Exception:",
        "    bonus = 0.0",
        "return up_proj + bonus, {'u': up_proj}",
    ),
    "swallows_everything": _body(
        "up_proj",
        "try:",
        "    bonus = 1.0 if up_proj.mean() > 0 else 0.0",
        "except:",
        "    bonus = 0.0",
        "return up_proj + bonus, {'u': up_proj}",
    ),
    "divides_integers": _body(
        "episode_length, up_proj", "r = up_proj * (100 // episode_length).float()", "return r, {'r': r}"
    ),
    "exits": _body("up_proj", "import sys", "sys.exit(1)"),
    "endless_recursion": written(
        "import torch",
        "",
        "def f(x):",
        "    return f(x)",
        "",
        "def compute_reward(up_proj):",
        "    return f(up_proj), {}",
    ),
    "work_in_print": _body(
        "up_proj, heading", "print('up', up_proj.mul_(2.0).mean())", "return up_proj, {'u': up_proj}"
    ),
    "work_in_assert": _body(
        "up_proj, heading",
        "assert (gain := 2.0) > 0 and up_proj.shape == heading.shape",
        "return up_proj * 2, {'u': heading}",
    ),
    "helper_in_assert": written(
        "import torch",
        "",
        "def fine(x):",
        "    x += 1.0",
        "    return True",
        "",
        "def compute_reward(up_proj):",
        "    assert fine(up_proj)",
        "    return up_proj, {'u': up_proj}",
    ),
    "branch_on_num_envs": _body(
        "up_proj", "r = up_proj * 2.0 if up_proj.shape[0] > 1000 else up_proj", "return r, {'r': r}"
    ),
    "branch_on_len": _body(
        "up_proj", "if 2 * len(up_proj) - 1 >= 2048:", "    up_proj = -up_proj", "return up_proj, {'u': up_proj}"
    ),
    "smaller_of_num_envs": _body("up_proj", "n = min(up_proj.size(0), 1000)", "return up_proj * n, {'u': up_proj}"),
    "swallows_a_decision_on_num_envs": _body(
        "up_proj",
        "try:",
        "    gain = 2.0 if up_proj.shape[0] > 1000 else 1.0",
        "except:",
        "    gain = 1.0",
        "return up_proj * gain, {'u': up_proj}",
    ),
    "num_envs_of_self": written(
        "import torch",
        "",
        "def compute_reward(self):",
        "    r = self.up_proj if self.num_envs / 2 < 500 else -self.up_proj",
        "    return r, {'r': r}",
    ),
    "values_as_text": _body("up_proj", "r = -up_proj if '-' in repr(up_proj[0]) else up_proj", "return r, {'r': r}"),
    "values_in_a_text": _body("up_proj", "r = up_proj * len(f'{up_proj.sum()}')", "return r, {'r': r}"),
    "thread": _body(
        "up_proj",
        "import threading",
        "found = []",
        "worker = threading.Thread(target=lambda: found.append(float(up_proj.max())))",
        "worker.start(); worker.join()",
        "r = up_proj / found[0]",
        "return r, {'r': r}",
    ),
    "thread_by_another_way": _body(
        "up_proj",
        "found = []",
        "worker = torch.serialization.threading.Thread(target=lambda: found.append(float(up_proj.max())))",
        "worker.start(); worker.join()",
        "r = up_proj / found[0]",
        "return r, {'r': r}",
    ),
    "sets_an_attribute": _body("up_proj", "setattr(torch, 'calls', 1)", "return up_proj, {'u': up_proj}"),
    "isaac_helper_that_is_not_offered": written(
        "from isaacgym.torch_utils import quat_mul, torch_rand_float",
        "import torch",
        "",
        "def compute_reward(up_proj):",
        "    return up_proj + torch_rand_float(-1, 1, (1,), 'cpu'), {'u': up_proj}",
    ),
    "reduces_twice": _body(
        "actions, last_actions, up_proj",
        "change = (actions - last_actions).square().sum(dim=-1).mean(dim=-1)",
        "return up_proj - change, {'change': -change}",
    ),
    "tensor_of_columns": _body(
        "object_rot, up_proj",
        "inverse = torch.tensor([",
        "    object_rot[:, 0],",
        "    -object_rot[:, 1],",
        "]).t()",
        "r = up_proj + inverse[:, 0]",
        "return r, {'r': r}",
    ),
    "masked_select": _body(
        "up_proj, heading",
        "penalty = torch.masked_select(heading, heading > 0.5)",
        "r = up_proj - penalty",
        "return r, {'r': r}",
    ),
}
