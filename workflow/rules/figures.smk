rule draw_figure:
    """One figure, its executed notebook and the notebook as a page, all from one execution."""
    input:
        results=tables_of,
        script=local("scripts/run_notebook.py"),
        figure=local("figures/{figure}.py"),
        code=lambda wildcards: local(imports_of("scripts/run_notebook.py", f"figures/{wildcards.figure}.py")),
        templates=TEMPLATES,
    output:
        pdf="results/{scale}/figures/{figure}.pdf",
        svg=report("results/{scale}/figures/{figure}.svg", caption="../report/figure.rst", category="Figures"),
        png="results/{scale}/figures/{figure}.png",
        notebook="results/{scale}/notebooks/{figure}.ipynb",
        html="results/{scale}/notebooks/{figure}.html",
    log:
        "results/{scale}/logs/{figure}.log",
    benchmark:
        "results/{scale}/benchmarks/{figure}.tsv"
    wildcard_constraints:
        figure=r"\w+",
    threads: 1
    params:
        results=lambda wildcards, output: str(Path(output.html).parents[1]),
    message:
        "Drawing figure {wildcards.figure}"
    shell:
        "{PYTHON} {input.script} --figure {input.figure} --results {params.results} --tables {input.results}"
        " --templates paper/templates --notebook {output.notebook} --html {output.html} --log {log}"
