"""Where else can work be done? Pieces of it on the workers of a Dask cluster."""

from conformance.cluster.crew import Crew, Piece, crew_at, engine_name, refuse_needs, refuse_sandbox

__all__ = ["Crew", "Piece", "crew_at", "engine_name", "refuse_needs", "refuse_sandbox"]
