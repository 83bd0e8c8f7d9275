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


# Which rule makes what, so that a difference can be traced.
RULE_OF = {
    str(output).removeprefix(f"results/{SCALE}/"): made.name for made in workflow.rules for output in made.output
}


rule verify:
    """Compares this run with reference/<scale>/ and fails where a value differs."""
    input:
        everything,
        script=local("scripts/verify.py"),
        settings=file_of(RULE_OF),
    log:
        f"results/{SCALE}/logs/verify.log",
    threads: 1
    message:
        f"Comparing results/{SCALE} with reference/{SCALE}"
    shell:
        f"{{PYTHON}} {{input.script}} --settings {{input.settings:q}} --results results/{SCALE}"
        f" --reference reference/{SCALE} --log {{log}}"
