# redoubt_bpf(NAME file.bpf.c…): compiles each program for BPF (CO-RE), links them into one object and makes its
# libbpf skeleton NAME.skel.h; target NAME_skel carries the include directory.
find_program(BPF_CLANG NAMES clang-14 clang REQUIRED)
find_program(BPFTOOL bpftool PATHS /usr/sbin REQUIRED)
find_program(LLVM_STRIP NAMES llvm-strip-14 llvm-strip REQUIRED)

function(redoubt_bpf name)
  set(objects)
  foreach(file IN LISTS ARGN)
    string(REPLACE "/" "_" flat "${file}")
    set(object "${CMAKE_CURRENT_BINARY_DIR}/${flat}.o")
    add_custom_command(
      OUTPUT "${object}"
      COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Werror -D__TARGET_ARCH_x86
              -I "${PROJECT_SOURCE_DIR}/src" -I /usr/include/x86_64-linux-gnu
              -MD -MF "${object}.d" -c "${CMAKE_CURRENT_SOURCE_DIR}/${file}" -o "${object}"
      COMMAND ${LLVM_STRIP} -g "${object}"
      DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${file}"
      DEPFILE "${object}.d"
      VERBATIM)
    list(APPEND objects "${object}")
  endforeach()
  set(linked "${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o")
  set(skeleton "${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h")
  add_custom_command(
    OUTPUT "${skeleton}"
    COMMAND ${BPFTOOL} gen object "${linked}" ${objects}
    COMMAND ${BPFTOOL} gen skeleton "${linked}" name ${name} > "${skeleton}"
    DEPENDS ${objects})
  add_custom_target(${name}_skel_file DEPENDS "${skeleton}")
  add_library(${name}_skel INTERFACE)
  add_dependencies(${name}_skel ${name}_skel_file)
  target_include_directories(${name}_skel SYSTEM INTERFACE "${CMAKE_CURRENT_BINARY_DIR}")
endfunction()
