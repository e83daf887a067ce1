"""Routes for datasets: versions are made from the catalog, read by everybody who reads it, and never changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from fleet_api.datasets import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.bodies import MIB, json_body
from fleet_api.http.routing import CatalogRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.contracts.api.base import ReasonRequest
from triggers.contracts.api.datasets.versions import (
    MAX_MEMBER_PAGE,
    MAX_VERSIONS,
    CreateDatasetRequest,
    DatasetDetails,
    DatasetList,
    DatasetView,
    DifferenceView,
    MemberPage,
    NextVersionRequest,
    Split,
    VersionView,
)
from triggers.errors import Conflict, Erased, InvalidInput, NotFound, TooMany

MAX_BODY_BYTES = 4 * MIB
router = APIRouter(prefix="/v1/datasets", tags=["datasets"], route_class=CatalogRoute)
Number = Annotated[int, Query(ge=1, le=MAX_VERSIONS)]
VersionPath = Annotated[int, Path(ge=1, le=MAX_VERSIONS)]


@router.post("", status_code=201, summary="Create a dataset")
@raises(Conflict, Erased, InvalidInput, NotFound, TooMany)
def create_dataset(
    services: Use,
    user: Caller,
    body: Annotated[CreateDatasetRequest, json_body(CreateDatasetRequest, limit_bytes=MAX_BODY_BYTES)],
) -> VersionView:
    """Freeze clips under a new name: those of a filter, of a list, or a diverse choice. Returns version 1.

    A version has the hashes of its clips and of their files, and the labels that they have now. It is never changed.
    Retention does not erase clips of a dataset, unless the dataset lets them expire.
    """
    return usecases.create(services, user, body)


@router.get("", summary="List datasets")
def list_datasets(
    services: Use,
    user: Caller,
    *,
    after: Annotated[str, Query(max_length=64, description="`next` of the previous page.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> DatasetList:
    """All datasets, by name."""
    return usecases.list_datasets(services, user, after=after, limit=limit)


@router.get("/{name}", summary="Show a dataset")
def show_dataset(services: Use, user: Caller, name: str) -> DatasetDetails:
    """A dataset with its versions, the newest first."""
    return usecases.show_dataset(services, user, name)


@router.post(
    "/{name}/versions",
    status_code=201,
    summary="Add a version to a dataset",
    responses={200: {"model": VersionView, "description": "The newest version has exactly these members"}},
)
@raises(Conflict, Erased, InvalidInput, TooMany)
def add_dataset_version(
    services: Use,
    user: Caller,
    response: Response,
    name: str,
    body: Annotated[NextVersionRequest, json_body(NextVersionRequest, limit_bytes=MAX_BODY_BYTES)],
) -> VersionView:
    """Freeze clips as the next version of a dataset, with `adds` in addition to those of the newest one.

    Earlier versions stay as they are.
    """
    version, is_new = usecases.add_version(services, user, name, body)
    response.status_code = 201 if is_new else 200
    return version


@router.get("/{name}/difference", summary="Compare two versions of a dataset")
def compare_dataset_versions(
    services: Use, user: Caller, name: str, *, before: Number, after: Number
) -> DifferenceView:
    """The clips that version `after` has and version `before` has not, the other way round, and those that differ."""
    return usecases.show_difference(services, user, name, before, after)


@router.get("/{name}/versions/{version}", summary="Show a version of a dataset")
def show_dataset_version(services: Use, user: Caller, name: str, version: VersionPath) -> VersionView:
    """A version with its digest, what chose its clips, and how many of them were erased since."""
    return usecases.show_version(services, user, name, version)


@router.get("/{name}/versions/{version}/members", summary="List the members of a version")
def list_dataset_members(
    services: Use,
    user: Caller,
    name: str,
    version: VersionPath,
    *,
    after: Annotated[str, Query(max_length=32, description="`next` of the previous page.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_MEMBER_PAGE)] = 100,
    split: Annotated[Split | None, Query(description="Only the members on this side.")] = None,
    documents: Annotated[bool, Query(description="With the documents of pinned labels.")] = False,
) -> MemberPage:
    """The clips of a version with their hashes, and links to their files; of those that were erased, why and when."""
    return usecases.list_members(
        services, user, name, version, after=after, limit=limit, split=split, documents=documents
    )


@router.post("/{name}/release", summary="Let retention erase a dataset's clips")
def release_dataset(
    services: Use, user: Caller, name: str, body: Annotated[ReasonRequest, json_body(ReasonRequest)]
) -> DatasetView:
    """From now on, retention erases clips of this dataset when their time is over. They stay listed as erased."""
    return usecases.let_expire(services, user, name, body, allowed=True)


@router.post("/{name}/keep", summary="Keep a dataset's clips from retention")
def keep_dataset(
    services: Use, user: Caller, name: str, body: Annotated[ReasonRequest, json_body(ReasonRequest)]
) -> DatasetView:
    """From now on, retention erases no clip of this dataset."""
    return usecases.let_expire(services, user, name, body, allowed=False)
