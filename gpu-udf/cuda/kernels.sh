#!/usr/bin/env bash
# Builds the CUDA kernels of gpu-udf/src/main/cuda; only what is older than its sources.
#
#   kernels.sh OUT             every family as OUT/FAMILY.sm_80.cubin, OUT/FAMILY.sm_90a.cubin and
#                              OUT/FAMILY.compute_80.ptx, and the families in OUT/kernels.txt; without nvcc one line
#   kernels.sh --emulated OUT  OUT/libmillrace_emulated.so: the same sources on a processor; without g++ one line
#   kernels.sh --check OUT     builds and runs the kernels' own checks in the emulator
#   kernels.sh --benches OUT   the benches of all families (OUT/FAMILY.bench), for machines with a GPU
#   kernels.sh --usage         registers, shared memory and spills of every kernel, sm_80 and sm_90a
#   kernels.sh --fetch         puts nvcc into the cache from Python wheels
#
# MILLRACE_CUDA_SOURCE names another folder of sources. nvcc is looked for on the PATH, in CUDA_HOME, and in the cache
# (MILLRACE_CACHE, else ~/.cache/millrace). JOBS compilers run at a time, as many as there are cores unless told. What
# nvcc made is kept in the cache by the content of its sources, so that a clean build compiles only what is new.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sources=${MILLRACE_CUDA_SOURCE:-$(cd "$here/../src/main/cuda" && pwd)}
checks="$here/../src/test/cuda"
cache="${MILLRACE_CACHE:-$HOME/.cache/millrace}/nvcc"
kept="${cache%/*}/kernels"
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
wheels=(nvidia-cuda-nvcc nvidia-cuda-crt nvidia-nvvm nvidia-cuda-runtime nvidia-cuda-cccl)
wheels_version="13.0.*"
nvcc_flags=(-std=c++17 -O3 -fmad=false -I"$sources")
emulated_flags=(-O2 -std=c++17 -ffp-contract=off -fno-strict-aliasing -fPIC -DMILLRACE_EMULATED -I"$sources")
warnings=(-Wall -Wextra -Wno-unknown-pragmas)

find_nvcc() {
    local candidate
    for candidate in "$(command -v nvcc || true)" "${CUDA_HOME:-/nowhere}/bin/nvcc" "$cache/nvidia/cu13/bin/nvcc"; do
        if [ -n "$candidate" ] && [ -x "$candidate" ]; then
            echo "$candidate"
            return
        fi
    done
}

# Is $1 missing, or older than one of the rest?
stale() {
    local target=$1 source
    shift
    [ -e "$target" ] || return 0
    for source in "$@"; do
        [ "$target" -nt "$source" ] || return 0
    done
    return 1
}

# Runs the commands of the file $1, one a line, several at a time; output files appear whole or not at all.
run_all() {
    local status=0
    if [ -s "$1" ]; then
        tr '\n' '\0' <"$1" | xargs -0 -P "$jobs" -I{} bash -c '{}' || status=1
    fi
    rm -f "$1"
    return $status
}

# A line that builds $1 by the rest, a command that writes to the file its last argument names.
build_line() {
    local target=$1
    shift
    printf '%q ' "$@"
    printf '%q.part && mv %q.part %q\n' "$target" "$target" "$target"
}

families() {
    local source
    for source in "$sources"/*.cu; do
        basename "$source" .cu
    done
}

headers() {
    find "$sources" -name '*.h' -o -name '*.cuh'
}

# Names what nvcc $2 makes of $1, whoever checked it out and when.
content_key() {
    { cat "$1" "${common[@]}" && printf '%s\n' "${nvcc_flags[@]/$sources/}" && "$2" --version; } |
        sha256sum | cut -c1-32
}

# Takes the file $1 from what is kept under the key $2, if it is there.
from_cache() {
    [ -e "$kept/$2/${1##*/}" ] && cp "$kept/$2/${1##*/}" "$1.part" && mv "$1.part" "$1"
}

to_cache() {
    mkdir -p "$kept/$2" && cp "$1" "$kept/$2/${1##*/}.$$" && mv "$kept/$2/${1##*/}.$$" "$kept/$2/${1##*/}"
}

build_device() {
    local out=$1 nvcc family lines i made=()
    nvcc=$(find_nvcc)
    if [ -z "$nvcc" ]; then
        echo "no nvcc on the PATH, in CUDA_HOME or in $cache: this jar has no CUDA kernels ($0 --fetch gets one)"
        return
    fi
    mkdir -p "$out"
    lines=$(mktemp "$out/lines.XXXXXX")
    mapfile -t common < <(headers)
    for family in $(families); do
        local source="$sources/$family.cu" arch key
        key=$(content_key "$source" "$nvcc")
        for arch in sm_80 sm_90a; do
            if stale "$out/$family.$arch.cubin" "$source" "${common[@]}" "${BASH_SOURCE[0]}" &&
                ! from_cache "$out/$family.$arch.cubin" "$key"; then
                made+=("$out/$family.$arch.cubin" "$key")
                build_line "$out/$family.$arch.cubin" \
                    "$nvcc" "${nvcc_flags[@]}" -arch="$arch" -cubin "$source" -o >>"$lines"
            fi
        done
        if stale "$out/$family.compute_80.ptx" "$source" "${common[@]}" "${BASH_SOURCE[0]}" &&
            ! from_cache "$out/$family.compute_80.ptx" "$key"; then
            made+=("$out/$family.compute_80.ptx" "$key")
            build_line "$out/$family.compute_80.ptx" \
                "$nvcc" "${nvcc_flags[@]}" -arch=compute_80 -ptx "$source" -o >>"$lines"
        fi
    done
    run_all "$lines"
    for ((i = 0; i < ${#made[@]}; i += 2)); do
        to_cache "${made[i]}" "${made[i + 1]}"
    done
    families >"$out/kernels.txt.part"
    if cmp -s "$out/kernels.txt.part" "$out/kernels.txt"; then
        rm "$out/kernels.txt.part"
    else
        mv "$out/kernels.txt.part" "$out/kernels.txt"
    fi
}

without_gxx() {
    if command -v g++ >/dev/null; then
        return 1
    fi
    echo "no g++: the CUDA kernels cannot be emulated here"
}

# The emulator's library in $1.
build_emulated() {
    local out=$1 lines source object
    if grep -qw fma /proc/cpuinfo 2>/dev/null && grep -qw f16c /proc/cpuinfo && grep -qw avx2 /proc/cpuinfo; then
        emulated_flags+=(-mfma -mf16c -mavx2)
    fi
    mkdir -p "$out/objects"
    lines=$(mktemp "$out/lines.XXXXXX")
    mapfile -t common < <(headers)
    local objects=()
    for source in "$sources"/*.cu "$sources/emulator.cc"; do
        object="$out/objects/$(basename "$source").o"
        objects+=("$object")
        if stale "$object" "$source" "${common[@]}" "${BASH_SOURCE[0]}"; then
            build_line "$object" g++ "${emulated_flags[@]}" "${warnings[@]}" -c -x c++ "$source" -o >>"$lines"
        fi
    done
    run_all "$lines"
    if stale "$out/libmillrace_emulated.so" "${objects[@]}"; then
        g++ -shared -Wl,-z,nodelete "${objects[@]}" -o "$out/libmillrace_emulated.so.part" -lpthread
        mv "$out/libmillrace_emulated.so.part" "$out/libmillrace_emulated.so"
    fi
    # What stands in for NVIDIA's driver in tests.
    local driver="$out/driver/libcuda.so.1"
    if [ -e "$checks/driver.cc" ] && stale "$driver" "$checks/driver.cc" "${BASH_SOURCE[0]}"; then
        mkdir -p "$out/driver"
        g++ -O1 -std=c++17 -fPIC -Wall -Wextra -shared -Wl,-soname,libcuda.so.1 "$checks/driver.cc" -o "$driver.part" \
            -L"$out" -lmillrace_emulated -Wl,-rpath,"\$ORIGIN/.."
        mv "$driver.part" "$driver"
    fi
}

run_checks() {
    local out=$1 source check
    build_emulated "$out"
    mapfile -t common < <(headers; find "$checks" -name '*.h')
    for source in "$checks"/*_check.cc; do
        check="$out/$(basename "$source" .cc)"
        if stale "$check" "$source" "${common[@]}" "${BASH_SOURCE[0]}"; then
            g++ "${emulated_flags[@]}" "${warnings[@]}" -I"$checks" -x c++ "$source" -o "$check.part" \
                -L"$out" -lmillrace_emulated -Wl,-rpath,"$(cd "$out" && pwd)" -lpthread
            mv "$check.part" "$check"
        fi
        "$check"
    done
}

build_benches() {
    local out=$1 nvcc family lines
    nvcc=$(find_nvcc)
    if [ -z "$nvcc" ]; then
        echo "no nvcc on the PATH, in CUDA_HOME or in $cache: no benches"
        return
    fi
    mkdir -p "$out"
    lines=$(mktemp "$out/lines.XXXXXX")
    mapfile -t common < <(headers)
    for family in $(families); do
        local source="$sources/$family.cu"
        grep -q 'ifdef BENCH' "$source" || continue
        if stale "$out/$family.bench" "$source" "${common[@]}" "${BASH_SOURCE[0]}"; then
            build_line "$out/$family.bench" "$nvcc" "${nvcc_flags[@]}" -DBENCH -arch=sm_90a \
                -L"$(dirname "$nvcc")/../lib" "$source" -o >>"$lines"
        fi
    done
    run_all "$lines"
}

usage_of_resources() {
    local nvcc family arch
    nvcc=$(find_nvcc)
    if [ -z "$nvcc" ]; then
        echo "no nvcc"
        return 1
    fi
    for arch in sm_80 sm_90a; do
        for family in $(families); do
            "$nvcc" "${nvcc_flags[@]}" -arch=$arch -cubin --resource-usage "$sources/$family.cu" -o /dev/null 2>&1 |
                awk -v arch=$arch '/Compiling entry/ {split($0, n, "\x27"); name = n[2]}
                    /bytes stack frame/ {spill = $0; sub(/^ +/, "", spill)}
                    /Used/ {sub(/.*Used/, "used"); print arch, name ":", $0 "; " spill}'
        done
    done
}

fetch() {
    if [ -n "$(find_nvcc)" ]; then
        echo "nvcc is here already: $(find_nvcc)"
        return
    fi
    local pinned=() wheel
    for wheel in "${wheels[@]}"; do
        pinned+=("$wheel==$wheels_version")
    done
    rm -rf "$cache.part"
    python3 -m pip install --quiet --no-deps --target "$cache.part" "${pinned[@]}"
    mkdir -p "$(dirname "$cache")"
    rm -rf "$cache"
    mv "$cache.part" "$cache"
    "$cache/nvidia/cu13/bin/nvcc" --version | tail -2
}

case "${1:-}" in
    --emulated) without_gxx || build_emulated "${2:?where to}" ;;
    --check) without_gxx || run_checks "${2:?where to}" ;;
    --benches) build_benches "${2:?where to}" ;;
    --usage) usage_of_resources ;;
    --fetch) fetch ;;
    "" | -*)
        sed -n '2,/^set/p' "${BASH_SOURCE[0]}" | grep '^#' | cut -c3-
        exit 2
        ;;
    *) build_device "$1" ;;
esac
