# redoubt_proto(TARGET [GRPC] file.proto…): library of the generated C++ (and gRPC stubs) of proto/redoubt/*.proto.
find_package(Protobuf REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

function(redoubt_proto target)
  cmake_parse_arguments(ARG "GRPC" "" "" ${ARGN})
  set(out "${CMAKE_CURRENT_BINARY_DIR}")
  set(generated)
  foreach(file IN LISTS ARG_UNPARSED_ARGUMENTS)
    string(REGEX REPLACE "\\.proto$" "" stem "${file}")
    set(products "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h")
    set(flags --cpp_out=${out})
    if(ARG_GRPC)
      list(APPEND products "${out}/${stem}.grpc.pb.cc" "${out}/${stem}.grpc.pb.h")
      list(APPEND flags --grpc_out=${out} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
    endif()
    add_custom_command(
      OUTPUT ${products}
      COMMAND protobuf::protoc -I "${CMAKE_CURRENT_SOURCE_DIR}" ${flags} "${file}"
      DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${file}"
      VERBATIM)
    list(APPEND generated ${products})
  endforeach()
  add_library(${target} STATIC ${generated})
  target_include_directories(${target} SYSTEM PUBLIC "${out}")
  target_compile_options(${target} PRIVATE -w)
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf)
  if(ARG_GRPC)
    target_link_libraries(${target} PUBLIC gRPC::grpc++)
  endif()
endfunction()
