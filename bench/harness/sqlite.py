"""SQLite, with the words of a database server: there is nothing to prepare, and its work is done in
the host."""


class Sqlite:
    title = "SQLite"

    def describe(self) -> str:
        return "SQLite in the host"

    def prepare(self, store: str) -> None:
        pass

    def drop(self, store: str) -> None:
        pass

    def storage(self, _store: str) -> str:
        return '{ plugin: storage-sqlite, settings: { path: "{directory}/bench.db" } }'

    def processor_seconds(self) -> None:
        return None
