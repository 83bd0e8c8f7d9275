for document in DOCUMENTS:
    shown = figures(config, document)

    rule:
        """A document as PDF and as one self-contained page, and its figures' captions; every number is from results/."""
        name:
            f"write_{document}"
        input:
            script=local("scripts/write_document.py"),
            code=local(imports_of("scripts/write_document.py")),
            settings=file_of(config),
            text=local(f"paper/{document}.md"),
            references=local("paper/references.bib"),
            templates=TEMPLATES,
            captions=local(expand("workflow/report/{figure}.rst", figure=shown)),
            claims=every("claims/{group}.json", group=[group.name for group in GROUPS if group.document == document]),
            history=local("reference/rules.json"),
            deviations=local("reference/deviations.json"),
            root_seeds=local(list(map(str, Path("reference", SCALE).glob("seeds.json")))),
            figures=every("figures/{figure}.pdf", "figures/{figure}.svg", figure=shown),
        output:
            pdf=f"results/{SCALE}/{document}.pdf",
            html=f"results/{SCALE}/{document}.html",
            captions=expand(f"results/{SCALE}/captions/{{figure}}.rst", figure=shown),
        log:
            f"results/{SCALE}/logs/{document}.log",
        benchmark:
            f"results/{SCALE}/benchmarks/{document}.tsv"
        threads: 1
        params:
            results=lambda wildcards, output: str(Path(output.html).parent),
        message:
            f"Writing the {document}"
        shell:
            "{PYTHON} {input.script} --text {input.text} --references {input.references} --templates paper/templates"
            " --captions workflow/report --claims {input.claims} --history {input.history} --deviations {input.deviations} --root-seeds {input.root_seeds} --settings {input.settings:q}"
            " --figures {params.results}/figures --pdf {output.pdf} --html {output.html}"
            " --filled {params.results}/captions --log {log}"
