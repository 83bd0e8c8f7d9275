rule draw_figure:
    """One figure, its executed notebook and the notebook as a page, all from one execution."""
    input:
        results=tables_of,
        script=local("scripts/run_notebook.py"),
        figure=local("figures/{figure}.py"),
        code=lambda wildcards: local(imports_of("scripts/run_notebook.py", f"figures/{wildcards.figure}.py")),
        templates=TEMPLATES,
    output:
        pdf=f"results/{SCALE}/figures/{{figure}}.pdf",
        svg=report(f"results/{SCALE}/figures/{{figure}}.svg", caption="../report/figure.rst", category="Figures"),
        png=f"results/{SCALE}/figures/{{figure}}.png",
        notebook=f"results/{SCALE}/notebooks/{{figure}}.ipynb",
        html=f"results/{SCALE}/notebooks/{{figure}}.html",
    log:
        f"results/{SCALE}/logs/{{figure}}.log",
    benchmark:
        f"results/{SCALE}/benchmarks/{{figure}}.tsv"
    wildcard_constraints:
        figure="|".join(figures(config)),
    threads: 1
    params:
        results=lambda wildcards, output: str(Path(output.html).parents[1]),
    message:
        "Drawing figure {wildcards.figure}"
    shell:
        "{PYTHON} {input.script} --figure {input.figure} --results {params.results} --tables {input.results}"
        " --templates paper/templates --notebook {output.notebook} --html {output.html} --log {log}"
