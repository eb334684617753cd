# redoubt_module(NAME DEPS module… LIBS library… [EXCLUDE file…])
#   Library redoubt_NAME from every *.cc below the calling folder that is not a test, and its tests:
#   *_test.cc run without privileges (label unit), *_root_test.cc need root or BPF (label root),
#   *_component_test.cc start real servers (label component).
function(redoubt_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS "*.cc")
  set(root_tests ${all})
  set(component_tests ${all})
  set(unit_tests ${all})
  list(FILTER root_tests INCLUDE REGEX "_root_test\\.cc$")
  list(FILTER component_tests INCLUDE REGEX "_component_test\\.cc$")
  list(FILTER unit_tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER unit_tests EXCLUDE REGEX "_(root|component)_test\\.cc$")
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  foreach(file IN LISTS ARG_EXCLUDE)
    list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  endforeach()

  add_library(redoubt_${name} STATIC ${sources})
  target_include_directories(redoubt_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM ARG_DEPS PREPEND redoubt_)
  target_link_libraries(redoubt_${name} PUBLIC ${ARG_DEPS} ${ARG_LIBS} Threads::Threads)
  if(REDOUBT_UNITY)
    set_target_properties(redoubt_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    # A private type of a .cc is no longer in the main file of its unit.
    target_compile_options(redoubt_${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()

  redoubt_tests(${name}_unit unit redoubt_${name} ${unit_tests})
  redoubt_tests(${name}_root root redoubt_${name} ${root_tests})
  redoubt_tests(${name}_component component redoubt_${name} ${component_tests})
endfunction()

# redoubt_tests(NAME LABEL LIBRARY file…): executable test_NAME of the given GoogleTest files; nothing where there is no file.
function(redoubt_tests name label library)
  if(NOT ARGN OR REDOUBT_FUZZ OR NOT GTest_FOUND)
    return()
  endif()
  add_executable(test_${name} ${ARGN})
  target_link_libraries(test_${name} PRIVATE ${library} GTest::gmock_main)
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(test_${name} PRIVATE
    REDOUBT_SOURCE_DIR="${PROJECT_SOURCE_DIR}" REDOUBT_BUILD_DIR="${PROJECT_BINARY_DIR}")
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 600 SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
  if(NOT label STREQUAL "unit")
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()

# Everything that runs in production; what the quickstart builds.
add_custom_target(programs)

# redoubt_app(NAME DEPS module… [LIBS library…] [SOURCES file…]): program NAME from the files given, or from every *.cc of
# the calling folder.
function(redoubt_app name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS;SOURCES" ${ARGN})
  set(sources ${ARG_SOURCES})
  if(NOT sources)
    file(GLOB sources CONFIGURE_DEPENDS "*.cc")
    list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  endif()
  add_executable(${name} ${sources})
  list(TRANSFORM ARG_DEPS PREPEND redoubt_)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} ${ARG_LIBS})
  add_dependencies(programs ${name})
  install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()
