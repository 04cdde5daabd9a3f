/* Which drivers there are: all of them in the DLL, with a second camera and focuser; and one of each kind in a process of its
   own, the one of a program being its CLASS. */
#include "driver.h"

#ifdef BUILD_EXE
extern const Class CLASS;
const Class *const CLASSES[] = {&CLASS};
#else
extern const Class CAMERA, SECOND_CAMERA, FOCUSER, SECOND_FOCUSER, FILTER_WHEEL, TELESCOPE, CHOOSER;
const Class *const CLASSES[] = {&CAMERA, &SECOND_CAMERA, &FOCUSER, &SECOND_FOCUSER, &FILTER_WHEEL, &TELESCOPE, &CHOOSER};
#endif
const int CLASS_COUNT = COUNT(CLASSES);
