#!/bin/sh
# uro-capture hook, version 2
# Tells uro-capture what happened, without a word, and then runs the hook that was here before, if there was one,
# as if it were still here: same arguments, same stdin, same exit code. `uro-capture deinit` puts that hook back.
uro_hook='@HOOK@'
uro_program='@PROGRAM@'

case $0 in
*/*) uro_dir=${0%/*} ;;
*) uro_dir=. ;;
esac
uro_prior=$uro_dir/$uro_hook.uro-prior

# Another manager renamed this script and calls it as the hook that it found here, which was this and the prior one;
# unless that is the manager's own from before, which would call this again.
if [ "${0##*/}" != "$uro_hook" ]; then
    if [ -n "$URO_RENAMED" ] || cmp -s "$uro_dir/$uro_hook" "$uro_prior"; then
        uro_prior=
    fi
    URO_RENAMED=1
    export URO_RENAMED
fi

uro_report() {
    if [ -x "$uro_program" ]; then
        { "$uro_program" "$uro_hook" "$@"; } >/dev/null 2>&1
    fi
}

# Alone there is nothing to wait for.
if ! { [ -f "$uro_prior" ] && [ -x "$uro_prior" ]; }; then
    [ -x "$uro_program" ] || exit 0
    exec "$uro_program" "$uro_hook" "$@" >/dev/null 2>&1
fi

# Only this hook gets something on stdin, and both have to read it. The dot keeps the last line's end.
if [ "$uro_hook" = post-rewrite ]; then
    uro_pairs=$(cat && echo .)
    uro_pairs=${uro_pairs%.}
    printf %s "$uro_pairs" 2>/dev/null | uro_report "$@"
    printf %s "$uro_pairs" 2>/dev/null | "$uro_prior" "$@"
    exit $?
fi

uro_report "$@" </dev/null
exec "$uro_prior" "$@"
