#!/usr/bin/env bash
# Everything that is to be seen on a machine with a CUDA device, most important first, each step with its own time
# limit; a step that fails or takes too long does not stop the next.
#
#   benchmarks/on_gpu.sh RESULTS [STEP ...]        DEVICE=cpu benchmarks/on_gpu.sh RESULTS    tries the lines, in small
#
# RESULTS gets a log of every step and the JSON of the benchmarks. Steps: parity run ant profile humanoid generation.
set -u
results=$(mkdir -p "${1:?usage: on_gpu.sh RESULTS [STEP ...]}" && cd "$1" && pwd)
shift
cd "$(dirname "$0")/.."
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1
device=${DEVICE:-cuda:0}
small=() generation=() in_run=(train.num_envs=512 train.steps=2000000)
if [ "$device" = cpu ]; then
  in_run=(train.num_envs=16 train.steps=2000)
  small=(--num-envs 8 --groups 1 2 --rounds 1 --updates 2)
  generation=(--num-envs 8 --groups 2 --steps 2000 --original-epochs 2 --original-num-envs 8)
fi

step() { # NAME SECONDS COMMAND...
  local name=$1 limit=$2 started=$SECONDS
  shift 2
  timeout "$limit" "$@" > "$results/$name.log" 2>&1
  local status=$?
  echo "== $name: status $status after $((SECONDS - started)) s"
  tail -n "${LINES_SHOWN:-14}" "$results/$name.log"
}

tests=(-p no:cacheprovider -q -m gpu tests/physics/test_mujoco_warp.py tests/trainers/population/test_on_cuda.py)
run=(python3 -m eureka run physics=warp search.generations=1 report.films=none evaluation.seeds=0 "output=$results/run")
[ $# -gt 0 ] || set -- parity run ant profile humanoid generation
for name in "$@"; do
  case $name in
    parity) step parity 120 python3 -m pytest "${tests[@]}" ;;
    run) step run 200 "${run[@]}" task=ant search.samples=4 "${in_run[@]}" ;;
    ant) step ant 180 python3 benchmarks/gpu.py --tasks ant --device "$device" --results "$results" "${small[@]}" ;;
    launched)
      step launched 90 python3 benchmarks/gpu.py --tasks ant --device "$device" --results "$results" \
        --launched --rounds 1 "${small[@]}" ;;
    profile)
      step profile 60 python3 benchmarks/gpu_profile.py --device "$device" --results "$results"
      step profile1 60 python3 benchmarks/gpu_profile.py --groups 1 --device "$device" --results "$results" ;;
    humanoid)
      step humanoid 150 python3 benchmarks/gpu.py --tasks humanoid --device "$device" --results "$results" \
        --rounds 2 --updates 4 "${small[@]}" ;;
    generation)
      step generation 200 python3 benchmarks/gpu_generation.py --device "$device" --results "$results" \
        "${generation[@]}" ;;
    *) echo "there is no step $name" >&2 ;;
  esac
done
