rule decide_claims:
    """A verdict for every claim: supported, refuted or inconclusive, with the numbers that decided it."""
    input:
        script="scripts/decide_claims.py",
        code=imports_of("scripts/decide_claims.py"),
        tables=tables(),
    output:
        claims="results/{scale}/claims.json",
    log:
        "results/{scale}/logs/claims.log",
    benchmark:
        "results/{scale}/benchmarks/claims.tsv"
    threads: 1
    message:
        "Deciding the claims"
    shell:
        "{PYTHON} {input.script} --tables {input.tables} --out {output.claims} --log {log}"
