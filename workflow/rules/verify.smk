everything = RUNS + every(
    "data/lasso_{design}.npz",
    "exact/l1_paradox_{design}.parquet",
    "paper.pdf",
    "paper.html",
    "claims.json",
    "figures/{figure}.pdf",
    "figures/{figure}.svg",
    "figures/{figure}.png",
    "notebooks/{figure}.ipynb",
    "notebooks/{figure}.html",
    figure=FIGURES,
)


rule verify:
    """Compares this run with reference/<scale>/ and fails where a value differs."""
    input:
        everything,
        script="scripts/verify.py",
    log:
        f"results/{SCALE}/logs/verify.log",
    threads: 1
    message:
        f"Comparing results/{SCALE} with reference/{SCALE}"
    shell:
        f"python {{input.script}} --results results/{SCALE} --reference reference/{SCALE} --log {{log}}"
