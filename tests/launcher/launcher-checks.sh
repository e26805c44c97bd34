#!/usr/bin/env bash
# Checks what the launcher does before Java runs: its texts, its exit codes, and how it names what is missing.
set -uo pipefail

launcher=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/millrace
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# check NAME WANTED_EXIT_CODE WANTED_TEXT COMMAND...: the command ends so, and says that, on whichever stream.
check() {
    local name=$1 wanted_code=$2 wanted_text=$3 output code
    shift 3
    output=$("$@" 2>&1 </dev/null)
    code=$?
    if [ "$code" = "$wanted_code" ] && [[ $output == *"$wanted_text"* ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'launcher: %s: exit code %s, wanted %s with "%s":\n%s\n' "$name" "$code" "$wanted_code" "$wanted_text" "$output"
    fi
}

# A folder for a PATH that has the usual tools but none of those named.
path_without() {
    local folder=$work/bin-${*//[^a-z0-9]/-} tool
    mkdir -p "$folder"
    for tool in bash env dirname readlink sed head sort grep find cksum xargs tr awk mkdir rm cat tee mvn java python3; do
        case " $* " in *" $tool "*) continue ;; esac
        [ -e "$folder/$tool" ] || ln -s "$(command -v "$tool")" "$folder/$tool"
    done
    printf '%s' "$folder"
}

fake_java() {
    local folder=$work/java-$1/bin
    mkdir -p "$folder"
    printf '#!/bin/sh\necho '\''openjdk version "%s"'\'' >&2\n' "$1" >"$folder/java"
    chmod +x "$folder/java"
    printf '%s' "$work/java-$1"
}

fake_maven() {
    local folder
    folder=$(path_without mvn)
    rm -f "$folder/mvn"
    printf '#!/bin/sh\necho "Apache Maven %s"\n' "$1" >"$folder/mvn"
    chmod +x "$folder/mvn"
    printf '%s' "$folder"
}

# A copy of the launcher without sources that were built, so that it must build.
mkdir -p "$work/fresh"/{.mvn,kv-state,gpu-udf,operators,connectors,jobs-config,flink-job,tests}
touch "$work/fresh/pom.xml"
cp "$launcher" "$work/fresh/millrace"
fresh=$work/fresh/millrace

check 'no command prints the usage' 0 './millrace demo' "$launcher"
check 'help names the verbs of durable sessions' 0 './millrace resume --from PATH' "$launcher" help
check 'help names the gateway' 0 './millrace gateway' "$launcher" help
check 'help prints the usage' 0 'MILLRACE_HOME' "$launcher" help
check 'help names the verbs of clusters' 0 './millrace cluster up' "$launcher" help
check 'an unknown command is refused' 1 'there is no command fly' "$launcher" fly
check 'java is missing' 1 'a JDK 17 or newer is needed' \
    env -u JAVA_HOME PATH="$(path_without java mvn)" bash "$launcher" demo
check 'JAVA_HOME is wrong' 1 'JAVA_HOME has no bin/java' env JAVA_HOME="$work" bash "$launcher" demo
check 'java is too old' 1 'Java 11 is too old' env JAVA_HOME="$(fake_java 11.0.2)" bash "$launcher" demo
check 'java 8 is too old' 1 'is too old' env JAVA_HOME="$(fake_java 1.8.0_392)" bash "$launcher" demo
check 'a runtime cannot build' 1 'is only a runtime' env JAVA_HOME="$(fake_java 17.0.1)" bash "$fresh" build
check 'mvn is missing' 1 'mvn is not on the PATH' env PATH="$(path_without mvn)" bash "$fresh" build
check 'mvn is too old' 1 'Maven 3.6.3 is too old' env PATH="$(fake_maven 3.6.3)" bash "$fresh" build
check 'it works through a link' 0 './millrace demo' bash -c "ln -s '$launcher' '$work/link' && '$work/link' help"

printf 'launcher: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
