# Compiler settings that every target shares.
option(REDOUBT_UNITY "one translation unit a module" OFF)
option(REDOUBT_FUZZ "build the fuzz targets (clang)" OFF)
set(REDOUBT_SANITIZE "" CACHE STRING "comma-separated sanitizers")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# The oldest processors that it runs on have SSE 4.2 and POPCNT: those of servers since 2009.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
  add_compile_options(-march=x86-64-v2)
endif()
# Hashes of short texts cost less than a call.
add_compile_definitions(XXH_INLINE_ALL)

add_compile_options(-Wall -Wextra -Werror -Wno-missing-field-initializers -fstack-protector-strong)
add_compile_definitions(REDOUBT_VERSION="${REDOUBT_VERSION}")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(_FORTIFY_SOURCE=2)
  # -O2 inlining makes g++ 12 see overflows in libstdc++ that are not there.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(REDOUBT_SANITIZE)
  # Not vptr: libraries built with hidden type information (SOCI) do not link with it.
  add_compile_options(-fsanitize=${REDOUBT_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${REDOUBT_SANITIZE})
endif()
if(REDOUBT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
