"""What cargo resolves, written as arrows."""


def package(name: str, source: str | None = "registry", **more) -> dict:
    return {
        "id": name,
        "name": name,
        "version": "1.0.0",
        "source": source,
        "license": "MIT",
        "repository": f"https://example.org/{name}",
        "authors": ["A. Author"],
    } | more


def resolved(text: str) -> dict:
    """`a>b` is a normal dependency, `a+b` one of tests or of the build."""
    names, edges = {}, {}
    for arrow in text.split():
        here, kind, there = arrow.partition(">" if ">" in arrow else "+")
        for name in (here, there):
            names[name] = package(name, None if name.startswith("own") else "registry")
            edges.setdefault(name, [])
        edges[here].append({"pkg": there, "dep_kinds": [{"kind": None if kind == ">" else "dev"}]})
    return {"packages": list(names.values()), "resolve": {"nodes": [{"id": k, "deps": d} for k, d in edges.items()]}}
