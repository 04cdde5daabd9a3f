/* Which drivers there are: all of them in the DLL, with a second camera and focuser, and a third one in a process of its own. */
#include "driver.h"

extern const Class CAMERA, SECOND_CAMERA, FOCUSER, SECOND_FOCUSER, FILTER_WHEEL, TELESCOPE, CHOOSER;

#ifdef BUILD_EXE
const Class *const CLASSES[] = {&CAMERA};
#else
const Class *const CLASSES[] = {&CAMERA, &SECOND_CAMERA, &FOCUSER, &SECOND_FOCUSER, &FILTER_WHEEL, &TELESCOPE, &CHOOSER};
#endif
const int CLASS_COUNT = COUNT(CLASSES);
