everything = tables() + every(
    "{document}.pdf",
    "{document}.html",
    "claims.json",
    "figures/{figure}.pdf",
    "figures/{figure}.svg",
    "figures/{figure}.png",
    "notebooks/{figure}.ipynb",
    "notebooks/{figure}.html",
    figure=figures(config),
    document=DOCUMENTS,
)


rule verify:
    """Compares this run with reference/<scale>/ and fails where a value differs."""
    input:
        everything,
        script=local("scripts/verify.py"),
    log:
        f"results/{SCALE}/logs/verify.log",
    threads: 1
    message:
        f"Comparing results/{SCALE} with reference/{SCALE}"
    shell:
        f"{{PYTHON}} {{input.script}} --results results/{SCALE}" f" --reference reference/{SCALE} --log {{log}}"
