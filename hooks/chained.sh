#!/bin/sh
# uro-capture hook, version 1
# Tells uro-capture what happened, without a word, and then runs the hook that was here before as if it were
# still here: same arguments, same stdin, same exit code. `uro-capture deinit` puts that hook back.
uro_hook='@HOOK@'
uro_program='@PROGRAM@'

case $0 in
*/*) uro_prior=$0.uro-prior ;;
*) uro_prior=./$0.uro-prior ;;
esac

uro_report() {
    if [ -x "$uro_program" ]; then
        { "$uro_program" "$uro_hook" "$@"; } >/dev/null 2>&1
    fi
}

uro_has_prior() {
    [ -f "$uro_prior" ] && [ -x "$uro_prior" ]
}

# Only this hook gets something on stdin, and both have to read it. The dot keeps the last line's end.
if [ "$uro_hook" = post-rewrite ]; then
    uro_pairs=$(cat && echo .)
    uro_pairs=${uro_pairs%.}
    printf %s "$uro_pairs" 2>/dev/null | uro_report "$@"
    uro_has_prior || exit 0
    printf %s "$uro_pairs" 2>/dev/null | "$uro_prior" "$@"
    exit $?
fi

uro_report "$@" </dev/null
uro_has_prior || exit 0
exec "$uro_prior" "$@"
