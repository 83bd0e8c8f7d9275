rule write_paper:
    """The paper as PDF and as one self-contained page, and the figures' captions; every number is from results/."""
    input:
        script="scripts/write_paper.py",
        code=imports_of("scripts/write_paper.py"),
        text="paper/paper.md",
        references="paper/references.bib",
        templates=TEMPLATES,
        captions=expand("workflow/report/{figure}.rst", figure=FIGURES),
        claims="results/{scale}/claims.json",
        history="reference/rules.json",
        figures=every("figures/{figure}.pdf", "figures/{figure}.svg", figure=FIGURES),
    output:
        pdf="results/{scale}/paper.pdf",
        html="results/{scale}/paper.html",
        captions=expand("results/{{scale}}/captions/{figure}.rst", figure=FIGURES),
    log:
        "results/{scale}/logs/paper.log",
    benchmark:
        "results/{scale}/benchmarks/paper.tsv"
    threads: 1
    params:
        settings=file_of(config),
    message:
        "Writing the paper"
    shell:
        "{PYTHON} {input.script} --paper {input.text} --references {input.references} --templates paper/templates"
        " --captions workflow/report --claims {input.claims} --history {input.history} --settings {params.settings:q}"
        " --figures results/{wildcards.scale}/figures --pdf {output.pdf} --html {output.html}"
        " --filled results/{wildcards.scale}/captions --log {log}"
