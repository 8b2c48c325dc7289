# How the tree is built. One source tree, two targets:
#   XOK_TARGET=host   libraries, kernel core and tests for this machine (GoogleTest, fuzzers)
#   XOK_TARGET=guest  the kernel and the programs that run on it, freestanding
#
# xok_library(NAME SOURCES a.cpp ... [DEPENDS other ...])
#   host:  static library xok_NAME
#   guest: two static libraries of the same sources: xok_NAME_kernel and xok_NAME_user
# xok_test(NAME SOURCES ... [DEPENDS lib ...])     host only: a GoogleTest program, one CTest case
# xok_fuzz(NAME SOURCES ... [DEPENDS lib ...])     host only, with Clang: a libFuzzer program NAME_fuzz
# xok_program(NAME SOURCES ... [DEPENDS lib ...])  guest only: a program for a bare environment

set(XOK_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wcast-qual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  list(APPEND XOK_WARNINGS -Wthread-safety -Wno-gnu-statement-expression-from-macro-expansion
       -Wno-gnu-statement-expression)
endif()

set(XOK_CXX_FLAGS -fno-exceptions -fno-rtti ${XOK_WARNINGS})
# General registers only: neither the kernel nor ExOS may disturb the program's vector registers.
set(XOK_FREESTANDING_FLAGS -ffreestanding -fbuiltin -mgeneral-regs-only -fno-stack-protector
    -fno-threadsafe-statics -fno-asynchronous-unwind-tables -fno-omit-frame-pointer
    -ffunction-sections -fdata-sections -fcf-protection=none)
set(XOK_KERNEL_FLAGS ${XOK_FREESTANDING_FLAGS} -mno-red-zone -mcmodel=kernel -fno-pic)
set(XOK_USER_FLAGS ${XOK_FREESTANDING_FLAGS} -fPIE -fvisibility=hidden)

function(xok_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(XOK_TARGET STREQUAL "host")
    add_library(xok_${name} STATIC ${ARG_SOURCES})
    target_compile_options(xok_${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${XOK_CXX_FLAGS}>)
    target_include_directories(xok_${name} PUBLIC ${CMAKE_SOURCE_DIR})
    foreach(dependency ${ARG_DEPENDS})
      target_link_libraries(xok_${name} PUBLIC xok_${dependency})
    endforeach()
    return()
  endif()
  foreach(side kernel user)
    string(TOUPPER ${side} upper)
    add_library(xok_${name}_${side} STATIC EXCLUDE_FROM_ALL ${ARG_SOURCES})
    target_compile_options(xok_${name}_${side} PRIVATE
      $<$<COMPILE_LANGUAGE:CXX>:${XOK_CXX_FLAGS}> ${XOK_${upper}_FLAGS})
    target_include_directories(xok_${name}_${side} PUBLIC ${CMAKE_SOURCE_DIR})
    foreach(dependency ${ARG_DEPENDS})
      target_link_libraries(xok_${name}_${side} PUBLIC xok_${dependency}_${side})
    endforeach()
  endforeach()
endfunction()

function(xok_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT XOK_TARGET STREQUAL "host" OR XOK_FUZZ OR NOT XOK_TESTS)
    return()
  endif()
  add_executable(${name}_test ${ARG_SOURCES})
  target_compile_options(${name}_test PRIVATE -fno-rtti ${XOK_WARNINGS})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name}_test PRIVATE GTest::gtest GTest::gtest_main)
  foreach(dependency ${ARG_DEPENDS})
    target_link_libraries(${name}_test PRIVATE xok_${dependency})
  endforeach()
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

function(xok_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT XOK_FUZZ AND NOT XOK_COVERAGE)
    return()
  endif()
  add_executable(${name}_fuzz ${ARG_SOURCES})
  target_compile_options(${name}_fuzz PRIVATE ${XOK_CXX_FLAGS})
  target_include_directories(${name}_fuzz PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  set_property(GLOBAL APPEND PROPERTY XOK_FUZZ_TARGETS ${name}_fuzz)
  foreach(dependency ${ARG_DEPENDS})
    target_link_libraries(${name}_fuzz PRIVATE xok_${dependency})
  endforeach()
endfunction()

function(xok_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT XOK_TARGET STREQUAL "guest")
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${XOK_CXX_FLAGS}> ${XOK_USER_FLAGS})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE xok_rt_user xok_base_user)
  foreach(dependency ${ARG_DEPENDS})
    target_link_libraries(${name} PRIVATE xok_${dependency}_user)
  endforeach()
  target_link_options(${name} PRIVATE -nostdlib -static -no-pie -Wl,-T,${CMAKE_SOURCE_DIR}/apps/bare.ld
    -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments)
  set_target_properties(${name} PROPERTIES OUTPUT_NAME ${name}.elf
    LINK_DEPENDS ${CMAKE_SOURCE_DIR}/apps/bare.ld)
endfunction()
