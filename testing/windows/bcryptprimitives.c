/* Rust's library takes its random numbers from this DLL, which Wine 8 does not have. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID into, ULONG length); /* RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE into, SIZE_T length) {
    for (SIZE_T piece; length; into += piece, length -= piece) {
        piece = length < 0x10000000 ? length : 0x10000000;
        if (!SystemFunction036(into, (ULONG)piece)) return FALSE;
    }
    return TRUE;
}
