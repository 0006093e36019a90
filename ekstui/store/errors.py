"""What can be wrong with a cache; the library answers each by working without it, so no user meets these as errors."""

from typing import Self

from ekstui.errors import DataError


class CacheError(DataError):
    """The cache cannot be used."""

    identity: tuple[int, int] | None = None
    """Device and inode of the file that gave the error."""

    def of(self, identity: tuple[int, int] | None) -> Self:
        """Return the error with the identity of its file."""
        self.identity = identity
        return self


class AbsentCacheError(CacheError):
    """There is no cache yet, or nothing in it."""


class DamagedCacheError(CacheError):
    """The file is no cache, or is corrupt, or holds something that ekstui did not write."""


class NewerCacheError(CacheError):
    """A newer ekstui wrote the cache."""


class UnavailableCacheError(CacheError):
    """The cache cannot be opened or written now: permissions, a full disk, something else in its place."""


class BusyCacheError(UnavailableCacheError):
    """Another process is writing the cache; what is there can be read."""
