# Flags and helpers that every folder uses.

add_library(steerd_flags INTERFACE)
target_include_directories(steerd_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(steerd_flags INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wold-style-cast -Wno-sign-conversion
    -fno-omit-frame-pointer)
target_compile_definitions(steerd_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(STEERD_WERROR)
    target_compile_options(steerd_flags INTERFACE -Werror)
endif()
if(STEERD_SANITIZE)
    target_compile_options(steerd_flags INTERFACE -fsanitize=${STEERD_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(steerd_flags INTERFACE -fsanitize=${STEERD_SANITIZE})
endif()
find_program(STEERD_MOLD mold)
if(STEERD_MOLD)
    target_link_options(steerd_flags INTERFACE -fuse-ld=mold)
endif()
# Code for static libraries is position-independent but never interposed: calls within a file may be
# inlined, calls between files are direct.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -fno-semantic-interposition -fvisibility=hidden")

find_program(STEERD_CCACHE ccache)
if(STEERD_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${STEERD_CCACHE})
endif()

# steerd_library(name DEPENDS libs...): a static library of all .cc files of this folder (not of its subfolders).
function(steerd_library name)
    cmake_parse_arguments(ARG "" "" "DEPENDS;PRIVATE" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
    if(NOT sources)
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE steerd_flags ${ARG_DEPENDS} ${ARG_PRIVATE})
        return()
    endif()
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC steerd_flags ${ARG_DEPENDS})
    target_link_libraries(${name} PRIVATE ${ARG_PRIVATE})
endfunction()
