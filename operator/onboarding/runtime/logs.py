"""Structured logs of the operator and of its libraries."""

import logging
import sys

import structlog


def configure_logging(log_format: str | None, level: str) -> None:
    """Write one line per event to standard error, as JSON or for a console.

    The default is JSON, unless standard error and standard output are both terminals: a program that runs the operator
    and reads its lines redirects at least one of them.
    """
    if log_format is None:
        log_format = "console" if sys.stdout.isatty() and sys.stderr.isatty() else "json"
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    )
    last = [structlog.processors.format_exc_info, renderer] if log_format == "json" else [renderer]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # Kopf logs every call of a handler, which is one line per event.
    logging.getLogger("kopf").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
