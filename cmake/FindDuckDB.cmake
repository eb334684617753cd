# Finds DuckDB 1.5 or later: target DuckDB::duckdb.
# An installed DuckDB is preferred; otherwise the prebuilt library that scripts/fetch-duckdb.sh put under .cache/duckdb.
set(_duckdb_fetched "${PROJECT_SOURCE_DIR}/.cache/duckdb")
find_path(DuckDB_INCLUDE_DIR duckdb.h HINTS "${_duckdb_fetched}/include")
find_library(DuckDB_LIBRARY duckdb HINTS "${_duckdb_fetched}/lib")

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB
  REQUIRED_VARS DuckDB_LIBRARY DuckDB_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run scripts/fetch-duckdb.sh, or install DuckDB 1.5")

if(DuckDB_FOUND AND NOT TARGET DuckDB::duckdb)
  add_library(DuckDB::duckdb SHARED IMPORTED)
  set_target_properties(DuckDB::duckdb PROPERTIES
    IMPORTED_LOCATION "${DuckDB_LIBRARY}" IMPORTED_NO_SONAME ON
    INTERFACE_INCLUDE_DIRECTORIES "${DuckDB_INCLUDE_DIR}")
endif()
